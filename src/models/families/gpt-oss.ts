/** gpt-oss: experts with biases and limits, weighed after they are chosen; sinks; a window in every other layer; YaRN; matrices in MXFP4. */
import { ndarray, zeros } from "../../tensor/array.ts";
import { ANYTHING, FLAG, POSITIVE } from "../../tensor/kinds.ts";
import { EXPERTS, SIZE } from "../config/bounds.ts";
import { linear, optionalBiases, type Source, same } from "./checkpoint.ts";
import { EXPERT_FIELDS, experts as expertCounts } from "./expert-fields.ts";
import { type Fields, huggingFace, localLayers, WINDOW_FIELDS, windowed } from "./hugging-face.ts";
import { LLAMA_BUFFERS, LLAMA_FIELDS, LLAMA_PROJECTIONS, llamaConfig, llamaSources } from "./llama.ts";
import { type Mxfp4Place, mxfp4 } from "./mxfp4.ts";
import { refuseQuantised } from "./quantised.ts";

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
    refuseQuantised(json.or<unknown>("quantization_config", null), "a gpt-oss model", "mxfp4");
    json.only("hidden_act", "silu");
    json.only("swiglu_limit", LIMIT);
    const local = localLayers(json, json.need("num_hidden_layers"), (layer) => layer % 2 === 0);
    const defaults = { num_key_value_heads: 8, head_dim: 64, rope_theta: 150_000 };
    return {
      ...llamaConfig(withRope(json), "gpt-oss", defaults),
      ...expertCounts(json, 128, json.or("experts_per_token", 4)),
      ...{ softmax_after_topk: true, expert_biases: true, expert_limit: LIMIT, act_fn: ACTIVATION },
      eps: json.or("rms_norm_eps", 1e-5),
      attention_sinks: true,
      ...windowed(json.orNull("sliding_window", 128), local),
    };
  },
  sources({ numExperts }, has) {
    const count = numExperts ?? 0;
    const experts = `${mlp}.experts`;
    const matrix = has(`${experts}.down_proj_blocks`.replace("{l}", "0")) ? mxfp4 : ofExpert;
    const each = Array.from({ length: count }, (_, expert) => {
      const own = `blocks.{l}.mlp.experts.${expert}`;
      const [gate, read] = [0, 1].map((from) => ({ count, expert, every: 2, from }));
      const out = { count, expert, every: 1, from: 0 };
      return {
        [`${own}.W_gate`]: matrix(`${experts}.gate_up_proj`, gate),
        [`${own}.W_in`]: matrix(`${experts}.gate_up_proj`, read),
        [`${own}.W_out`]: matrix(`${experts}.down_proj`, out),
        [`${own}.b_gate`]: ofExpert(`${experts}.gate_up_proj_bias`, gate),
        [`${own}.b_in`]: ofExpert(`${experts}.gate_up_proj_bias`, read),
        [`${own}.b_out`]: ofExpert(`${experts}.down_proj_bias`, out),
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
 * An expert's matrix [in out] or bias [out], of an array of all of them: `every` times as wide, as gates and neurons alternate
 * in it.
 */
function ofExpert(name: string, { count, expert, every, from }: Mxfp4Place): Source {
  return {
    name,
    part: expert,
    shape: ({ shape }) => [count, ...shape.slice(0, -1), every * shape.at(-1)!],
    read({ data }, { shape }) {
      const { data: own } = zeros("float32", shape);
      for (let i = 0; i < own.length; i++) own[i] = data[from + i * every];
      return ndarray("float32", shape, own);
    },
  };
}

function withRope(json: Fields): Fields {
  return { ...json, or: (name, byDefault) => json.or(name, name === "rope_parameters" ? (ROPE as never) : byDefault) };
}
