/** Architectures with norms, nonlinearities or experts of their own: OLMo 2 and 3, Starcoder 2, Apertus, gpt-oss. */
import { type NDArray, ndarray, zeros } from "../../../tensor/array.ts";
import { ConfigError } from "../../../tensor/errors.ts";
import { transposed } from "../layout.ts";
import type { GgufArchitecture, MadeArray } from "./architecture.ts";
import { ATTENTION, decoderConfig, ENDS, GATED, headDim, LLAMA_NAMES, layerTypes, NORMS, rmsEps } from "./decoder.ts";
import { ropeParameters } from "./rope.ts";
import type { GgufSettings } from "./settings.ts";

type Float32 = NDArray<"float32">;

const at = "model.layers.{l}";

/** Norms after attention and MLP; with a window, OLMo 3. */
export const olmo2: GgufArchitecture = {
  name: "olmo2",
  config(s) {
    const window = s.maybe("attention.sliding_window");
    const config = { ...decoderConfig(window === undefined ? "olmo2" : "olmo3", s), ...rmsEps(s) };
    if (window === undefined) return config;
    const global = ropeParameters(s);
    const base = s.or("rope.freq_base_swa", global.rope_theta as number);
    return {
      ...config,
      sliding_window: window,
      layer_types: layerTypes(s, 4),
      rope_parameters: {
        full_attention: global,
        sliding_attention: { rope_theta: base, rope_type: "default" },
      },
    };
  },
  names: () => ({
    ...ENDS,
    ...ATTENTION,
    ...GATED,
    "blk.post_attention_norm": `${at}.post_attention_layernorm`,
    "blk.post_ffw_norm": `${at}.post_feedforward_layernorm`,
  }),
};

export const starcoder2: GgufArchitecture = {
  name: "starcoder2",
  config: (s) => ({
    ...decoderConfig("starcoder2", s),
    norm_epsilon: s.need("attention.layer_norm_epsilon"),
    use_bias: s.has("blk.0.ffn_up.bias"),
    sliding_window: s.maybe("attention.sliding_window") ?? null,
  }),
  names: () => ({
    ...ENDS,
    ...ATTENTION,
    ...NORMS,
    "blk.ffn_up": `${at}.mlp.c_fc`,
    "blk.ffn_down": `${at}.mlp.c_proj`,
  }),
  note: (s) =>
    s.maybe("attention.sliding_window") === undefined
      ? "GGUF files of the architecture starcoder2 do not say whether attention has a window: it has none here."
      : undefined,
};

/** The numbers of its nonlinearity are settings there and arrays here. */
export const apertus: GgufArchitecture = {
  name: "apertus",
  config: (s) => ({ ...decoderConfig("apertus", s), ...rmsEps(s), attention_bias: s.has("blk.0.attn_q.bias") }),
  names: () => ({
    ...ENDS,
    ...ATTENTION,
    "blk.attn_norm": `${at}.attention_layernorm`,
    "blk.ffn_norm": `${at}.feedforward_layernorm`,
    "blk.ffn_up": `${at}.mlp.up_proj`,
    "blk.ffn_down": `${at}.mlp.down_proj`,
  }),
  others(s) {
    const arrays: Record<string, MadeArray> = {};
    for (const [field, shape] of Object.entries({ alpha_n: [1], alpha_p: [1], beta: [], eps: [] })) {
      const values = s.shared(`xielu.${field}`);
      const layers = s.layers;
      if (values?.length !== layers) {
        throw new ConfigError(`The GGUF file has no xielu.${field} for each of its ${layers} layers.`, {
          asked: field,
          found: values,
        });
      }
      values.forEach((value, l) => {
        const array = ndarray("float32", shape, Float32Array.of(value));
        arrays[`model.layers.${l}.mlp.act_fn.${field}`] = { shape, from: [], make: () => array };
      });
    }
    return arrays;
  },
};

/** Gate and input of its experts lie in turn in one array there. */
export const gptOss: GgufArchitecture = {
  name: "gpt-oss",
  config(s) {
    const rope_parameters = { ...ropeParameters(s), truncate: false };
    return {
      ...decoderConfig("gpt_oss", s),
      ...headDim(s),
      ...rmsEps(s),
      intermediate_size: s.need("expert_feed_forward_length"),
      num_local_experts: s.need("expert_count"),
      num_experts_per_tok: s.need("expert_used_count"),
      sliding_window: s.need("attention.sliding_window"),
      layer_types: layerTypes(s, 2),
      attention_bias: true,
      rope_parameters,
    };
  },
  names: () => ({
    ...LLAMA_NAMES,
    "blk.attn_norm": `${at}.input_layernorm`,
    "blk.post_attention_norm": `${at}.post_attention_layernorm`,
    "blk.ffn_gate_inp": `${at}.mlp.router`,
  }),
  others(s) {
    const arrays: Record<string, MadeArray> = {};
    for (let l = 0; l < s.layers; l++) {
      const [from, to] = [`blk.${l}`, `model.layers.${l}`];
      arrays[`${to}.mlp.experts.gate_up_proj`] = inTurn(s, [
        `${from}.ffn_gate_exps.weight`,
        `${from}.ffn_up_exps.weight`,
      ]);
      arrays[`${to}.mlp.experts.gate_up_proj_bias`] = inTurn(s, [
        `${from}.ffn_gate_exps.bias`,
        `${from}.ffn_up_exps.bias`,
      ]);
      arrays[`${to}.mlp.experts.down_proj`] = renamed(s, `${from}.ffn_down_exps.weight`, transposed);
      arrays[`${to}.mlp.experts.down_proj_bias`] = renamed(s, `${from}.ffn_down_exps.bias`);
      arrays[`${to}.self_attn.sinks`] = renamed(s, `${from}.attn_sinks.weight`);
    }
    return arrays;
  },
};

function shapeOf(s: GgufSettings, tensor: string): readonly number[] {
  const shape = s.shapes.get(tensor);
  if (shape) return shape;
  throw new ConfigError(`The GGUF file has no "${tensor}".`, { asked: tensor, found: [...s.shapes.keys()] });
}

function renamed(s: GgufSettings, tensor: string, change: (array: Float32) => Float32 = (array) => array): MadeArray {
  const shape = shapeOf(s, tensor);
  const after = shape.length === 3 ? [shape[0], shape[2], shape[1]] : shape;
  return { shape: after, from: [tensor], make: ([array]) => change(array) };
}

/** Two tensors [expert out in] or [expert out] as one array [expert in 2 out] or [expert 2 out], their columns in turn. */
function inTurn(s: GgufSettings, from: readonly string[]): MadeArray {
  const [experts, out, into] = shapeOf(s, from[0]);
  const shape = into === undefined ? [experts, 2 * out] : [experts, into, 2 * out];
  const columns = (array: Float32) => (into === undefined ? array : transposed(array));
  return {
    shape,
    from,
    make(tensors) {
      const made = zeros("float32", shape);
      tensors.map(columns).forEach(({ data }, which) => {
        for (let i = 0; i < data.length; i++) made.data[2 * i + which] = data[i];
      });
      return made;
    },
  };
}
