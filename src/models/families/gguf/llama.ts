/** Llama, and architectures that differ from it by a few settings. */
import type { GgufArchitecture } from "./architecture.ts";
import { heads, inHalves, keyValueHeads } from "./changes.ts";
import { decoderConfig, EXPERTS, headDim, LLAMA_NAMES, partialRope, rmsEps } from "./decoder.ts";
import type { GgufSettings } from "./settings.ts";

/** Queries and keys in the order in which llama.cpp turns them. */
const PAIRED = { "blk.attn_q": inHalves(heads), "blk.attn_k": inHalves(keyValueHeads) };

const hasExperts = (s: GgufSettings) => s.or("expert_count", 0) > 0;
const at = "model.layers.{l}";

/** Llama, Mistral and, with experts, Mixtral, which llama.cpp does not tell apart. */
export const llama: GgufArchitecture = {
  name: "llama",
  config: (s) => ({
    ...decoderConfig(hasExperts(s) ? "mixtral" : "llama", s),
    ...headDim(s),
    ...rmsEps(s),
    ...(hasExperts(s)
      ? { num_local_experts: s.need("expert_count"), num_experts_per_tok: s.need("expert_used_count") }
      : { attention_bias: s.has("blk.0.attn_q.bias"), mlp_bias: s.has("blk.0.ffn_up.bias") }),
  }),
  names: (s) =>
    hasExperts(s)
      ? {
          ...LLAMA_NAMES,
          "blk.ffn_gate_inp": `${at}.block_sparse_moe.gate`,
          "blk.ffn_gate_exps": `${at}.block_sparse_moe.experts.{e}.w1`,
          "blk.ffn_down_exps": `${at}.block_sparse_moe.experts.{e}.w2`,
          "blk.ffn_up_exps": `${at}.block_sparse_moe.experts.{e}.w3`,
        }
      : LLAMA_NAMES,
  changes: PAIRED,
  note: (s) =>
    s.maybe("attention.sliding_window") === undefined
      ? "GGUF files of the architecture llama do not say whether attention has a window, as in Mistral 7B v0.1: it has none here."
      : undefined,
};

export const granite: GgufArchitecture = {
  name: "granite",
  config: (s) => ({
    ...decoderConfig("granite", s),
    ...rmsEps(s),
    attention_bias: s.has("blk.0.attn_q.bias"),
    mlp_bias: s.has("blk.0.ffn_up.bias"),
    attention_multiplier: s.or("attention.scale", 1),
    embedding_multiplier: s.or("embedding_scale", 1),
    residual_multiplier: s.or("residual_scale", 1),
    logits_scaling: s.or("logit_scale", 1),
  }),
  names: () => LLAMA_NAMES,
  changes: PAIRED,
};

/** Each fourth layer has no positions; files do not say so. */
export const smollm3: GgufArchitecture = {
  name: "smollm3",
  config: (s) => ({
    ...decoderConfig("smollm3", s),
    ...headDim(s),
    ...rmsEps(s),
    no_rope_layers: Array.from({ length: s.layers }, (_, l) => ((l + 1) % 4 === 0 ? 0 : 1)),
  }),
  names: () => LLAMA_NAMES,
  changes: PAIRED,
};

/** Norms without weights. */
export const olmo: GgufArchitecture = {
  name: "olmo",
  config: (s) => ({ ...decoderConfig("olmo", s), clip_qkv: s.maybe("attention.clamp_kqv") ?? null }),
  names: () => LLAMA_NAMES,
  changes: PAIRED,
};

export const olmoe: GgufArchitecture = {
  name: "olmoe",
  config: (s) => ({
    ...decoderConfig("olmoe", s),
    ...rmsEps(s),
    num_experts: s.need("expert_count"),
    num_experts_per_tok: s.need("expert_used_count"),
    norm_topk_prob: false,
  }),
  names: () => ({ ...LLAMA_NAMES, ...EXPERTS }),
};

/** One norm for attention and MLP, side by side; rows of queries and keys are in pairs in Hugging Face's files too. */
export const commandR: GgufArchitecture = {
  name: "command-r",
  config: (s) => ({
    ...decoderConfig("cohere", s),
    layer_norm_eps: s.need("attention.layer_norm_epsilon"),
    logit_scale: s.need("logit_scale"),
    use_qk_norm: s.has("blk.0.attn_q_norm.weight"),
  }),
  names: () => LLAMA_NAMES,
};

export const stablelm: GgufArchitecture = {
  name: "stablelm",
  config: (s) => ({
    ...decoderConfig("stablelm", s),
    ...partialRope(s),
    layer_norm_eps: s.need("attention.layer_norm_epsilon"),
    use_parallel_residual: !s.has("blk.0.ffn_norm.weight"),
    use_qkv_bias: s.has("blk.0.attn_q.bias"),
    qk_layernorm: s.has("blk.0.attn_q_norm.weight"),
  }),
  names: () => ({
    ...LLAMA_NAMES,
    "blk.attn_q_norm": `${at}.self_attn.q_layernorm.norms.{e}`,
    "blk.attn_k_norm": `${at}.self_attn.k_layernorm.norms.{e}`,
  }),
};
