/** Phi 2 and Phi 3. */
import type { GgufArchitecture } from "./architecture.ts";
import { ATTENTION, decoderConfig, ENDS, LLAMA_NAMES, NORMS, partialRope, rmsEps } from "./decoder.ts";

const at = "model.layers.{l}";

/** One norm for attention and MLP, side by side. */
export const phi2: GgufArchitecture = {
  name: "phi2",
  config: (s) => ({
    ...decoderConfig("phi", s),
    ...partialRope(s),
    layer_norm_eps: s.need("attention.layer_norm_epsilon"),
  }),
  names: () => ({
    ...ENDS,
    ...ATTENTION,
    output_norm: "model.final_layernorm",
    "blk.attn_norm": `${at}.input_layernorm`,
    "blk.attn_output": `${at}.self_attn.dense`,
    "blk.ffn_up": `${at}.mlp.fc1`,
    "blk.ffn_down": `${at}.mlp.fc2`,
  }),
};

/** Queries, keys and values in one matrix, and gate and input of the MLP in another, as in Hugging Face's files. */
export const phi3: GgufArchitecture = {
  name: "phi3",
  config: (s) => ({
    ...decoderConfig("phi3", s),
    ...partialRope(s),
    ...rmsEps(s),
    intermediate_size: s.rows("blk.0.ffn_up.weight") / 2,
    original_max_position_embeddings: s.or("rope.scaling.original_context_length", s.need("context_length")),
    sliding_window: s.or("attention.sliding_window", 0) || null,
  }),
  names: () => ({
    ...LLAMA_NAMES,
    ...NORMS,
    "blk.attn_qkv": `${at}.self_attn.qkv_proj`,
    "blk.ffn_up": `${at}.mlp.gate_up_proj`,
  }),
};
