/** gpt-oss: experts with biases and limits, weighed after they are chosen; sinks; a window in every other layer; YaRN. */
import { ndarray, zeros } from "../../tensor/array.ts";
import { ConfigError } from "../../tensor/errors.ts";
import { ANYTHING, FLAG, POSITIVE } from "../../tensor/kinds.ts";
import { shown } from "../../tensor/show.ts";
import { EXPERTS, SIZE } from "../config/bounds.ts";
import { linear, optionalBiases, type Source, same } from "./checkpoint.ts";
import { EXPERT_FIELDS, experts } from "./expert-fields.ts";
import { type Fields, huggingFace, localLayers, WINDOW_FIELDS, windowed } from "./hugging-face.ts";
import { LLAMA_BUFFERS, LLAMA_FIELDS, LLAMA_PROJECTIONS, llamaConfig, llamaSources } from "./llama.ts";

const at = "model.layers.{l}";
const mlp = `${at}.mlp`;

/** What the model's own code has, whatever its files say: `x · sigmoid(1.702 x)`, and what gates and neurons stay below. */
const [ACTIVATION, LIMIT] = ["quick_gelu", 7];

/** The positions of a file that says nothing of them. */
const ROPE = {
  ...{ rope_type: "yarn", factor: 32, beta_fast: 32, beta_slow: 1, truncate: false },
  original_max_position_embeddings: 4096,
};

export const gptOss = huggingFace({
  name: "gpt_oss",
  called: "gpt-oss",
  architecture: "GptOssForCausalLM",
  embedding: "model.embed_tokens.weight",
  unembedding: "lm_head.weight",
  tied: false,
  fields: {
    ...{ ...LLAMA_FIELDS, ...EXPERT_FIELDS, ...WINDOW_FIELDS },
    ...{ attention_bias: FLAG, swiglu_limit: POSITIVE, experts_per_token: EXPERTS, initial_context_length: SIZE },
    quantization_config: ANYTHING,
  },
  config(json) {
    refuseQuantised(json.or<unknown>("quantization_config", null));
    json.only("hidden_act", "silu");
    json.only("swiglu_limit", LIMIT);
    const local = localLayers(json, json.need("num_hidden_layers"), (layer) => layer % 2 === 0);
    const defaults = { num_key_value_heads: 8, head_dim: 64, rope_theta: 150_000 };
    return {
      ...llamaConfig(withRope(json), "gpt-oss", defaults),
      ...experts(json, 128, json.or("experts_per_token", 4)),
      ...{ softmax_after_topk: true, expert_biases: true, expert_limit: LIMIT, act_fn: ACTIVATION },
      eps: json.or("rms_norm_eps", 1e-5),
      attention_sinks: true,
      ...windowed(json.orNull("sliding_window", 128), local),
    };
  },
  sources({ numExperts }) {
    const count = numExperts ?? 0;
    const each = Array.from({ length: count }, (_, i) => {
      const own = `blocks.{l}.mlp.experts.${i}`;
      return {
        [`${own}.W_gate`]: ofExpert(`${mlp}.experts.gate_up_proj`, count, i, { columns: 2, from: 0 }),
        [`${own}.W_in`]: ofExpert(`${mlp}.experts.gate_up_proj`, count, i, { columns: 2, from: 1 }),
        [`${own}.W_out`]: ofExpert(`${mlp}.experts.down_proj`, count, i),
        [`${own}.b_gate`]: ofExpert(`${mlp}.experts.gate_up_proj_bias`, count, i, { columns: 2, from: 0 }),
        [`${own}.b_in`]: ofExpert(`${mlp}.experts.gate_up_proj_bias`, count, i, { columns: 2, from: 1 }),
        [`${own}.b_out`]: ofExpert(`${mlp}.experts.down_proj_bias`, count, i),
      };
    });
    return {
      ...llamaSources(),
      ...optionalBiases("blocks.{l}.attn", LLAMA_PROJECTIONS),
      "blocks.{l}.attn.sinks": same(`${at}.self_attn.sinks`),
      "blocks.{l}.mlp.W_gate": linear(`${mlp}.router.weight`),
      "blocks.{l}.mlp.b_gate": same(`${mlp}.router.bias`),
      ...Object.assign({}, ...each),
    };
  },
  buffers: LLAMA_BUFFERS,
});

/**
 * An expert's matrix [in out] or bias [out], of an array of all of them: `columns` times as wide, as gates and neurons alternate
 * in it.
 */
function ofExpert(name: string, count: number, expert: number, { columns, from } = { columns: 1, from: 0 }): Source {
  return {
    name,
    shape: ({ shape }) => [count, ...shape.slice(0, -1), columns * shape.at(-1)!],
    read({ data }, { shape }) {
      const { data: own } = zeros("float32", shape);
      const first = expert * own.length * columns + from;
      for (let i = 0; i < own.length; i++) own[i] = data[first + i * columns];
      return ndarray("float32", shape, own);
    },
  };
}

function withRope(json: Fields): Fields {
  return { ...json, or: (name, byDefault) => json.or(name, name === "rope_parameters" ? (ROPE as never) : byDefault) };
}

/** @throws ConfigError for weights that are not stored as numbers of their own */
function refuseQuantised(quantised: unknown): void {
  if (quantised === null) return;
  throw new ConfigError(
    "The experts of this gpt-oss checkpoint are quantised (quantization_config, MXFP4), which is not read: load it in transformers with Mxfp4Config(dequantize=True), save it with save_pretrained, and open that folder.",
    { asked: "quantization_config", found: shown(quantised) },
  );
}
