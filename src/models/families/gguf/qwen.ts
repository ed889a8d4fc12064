/** Qwen 2 and 3, with and without experts. */
import type { ConfigJson } from "../family.ts";
import type { GgufArchitecture } from "./architecture.ts";
import { decoderConfig, EXPERTS, headDim, LLAMA_NAMES, rmsEps } from "./decoder.ts";
import type { GgufSettings } from "./settings.ts";

const at = "model.layers.{l}";

/** Files do not say whether the weights of the experts that are chosen sum to 1: in Qwen 3 they do. */
function experts(s: GgufSettings, norm_topk_prob: boolean): ConfigJson {
  return {
    num_experts: s.need("expert_count"),
    num_experts_per_tok: s.need("expert_used_count"),
    moe_intermediate_size: s.need("expert_feed_forward_length"),
    norm_topk_prob,
  };
}

export const qwen2: GgufArchitecture = {
  name: "qwen2",
  config: (s) => ({ ...decoderConfig("qwen2", s), ...rmsEps(s), use_sliding_window: false }),
  names: () => LLAMA_NAMES,
};

export const qwen3: GgufArchitecture = {
  name: "qwen3",
  config: (s) => ({ ...decoderConfig("qwen3", s), ...headDim(s), ...rmsEps(s), use_sliding_window: false }),
  names: () => LLAMA_NAMES,
};

export const qwen2moe: GgufArchitecture = {
  name: "qwen2moe",
  config: (s) => ({
    ...decoderConfig("qwen2_moe", s),
    ...rmsEps(s),
    ...experts(s, false),
    shared_expert_intermediate_size: s.or("expert_shared_feed_forward_length", s.need("feed_forward_length")),
    use_sliding_window: false,
  }),
  names: () => ({
    ...LLAMA_NAMES,
    ...EXPERTS,
    "blk.ffn_gate_inp_shexp": `${at}.mlp.shared_expert_gate`,
    "blk.ffn_gate_shexp": `${at}.mlp.shared_expert.gate_proj`,
    "blk.ffn_up_shexp": `${at}.mlp.shared_expert.up_proj`,
    "blk.ffn_down_shexp": `${at}.mlp.shared_expert.down_proj`,
  }),
  // The gate of the shared expert is a vector here and a matrix of one row there.
  changes: {
    "blk.ffn_gate_inp_shexp": {
      shape: (shape) => [1, shape.at(-1)!],
      make: (array) => ({ ...array, shape: [1, array.shape.at(-1)!] }),
    },
  },
};

export const qwen3moe: GgufArchitecture = {
  name: "qwen3moe",
  config: (s) => ({
    ...decoderConfig("qwen3_moe", s),
    ...headDim(s),
    ...rmsEps(s),
    ...experts(s, true),
    use_sliding_window: false,
  }),
  names: () => ({ ...LLAMA_NAMES, ...EXPERTS }),
};
