/**
 * Gemma 1 to 3: as Llama, with embeddings scaled by sqrt(d_model), norms that multiply with 1 + w, and GELU in their gates.
 * From Gemma 2 on attention and MLP write through norms of their own, and every other layer, or five of six, has a window.
 */
import { FLAG, orNull, POSITIVE, TEXT, WHOLE } from "../../tensor/kinds.ts";
import { FACTOR, SIZE } from "../config/bounds.ts";
import { each, matrices, optionalBiases, type Source, type Sources, same } from "./checkpoint.ts";
import { type Fields, huggingFace, localLayers, WINDOW_FIELDS, windowed } from "./hugging-face.ts";
import { LLAMA_FIELDS, LLAMA_MLP, LLAMA_PROJECTIONS, llamaConfig } from "./llama.ts";
import type { FieldKinds } from "./read-fields.ts";

const at = "model.layers.{l}";

const FIELDS: FieldKinds = {
  ...LLAMA_FIELDS,
  attention_bias: FLAG,
  hidden_activation: orNull(TEXT),
  use_bidirectional_attention: orNull(FLAG),
};

/** From Gemma 2 on. */
const LATER_FIELDS: FieldKinds = {
  ...FIELDS,
  query_pre_attn_scalar: POSITIVE,
  attn_logit_softcapping: orNull(FACTOR),
  final_logit_softcapping: orNull(FACTOR),
  ...WINDOW_FIELDS,
};

/** A norm's weight, of which checkpoints hold what it has above 1. */
function norm(name: string): Source {
  return each(same(`${name}.weight`), (w) => 1 + w);
}

function sources(): Sources {
  return {
    "blocks.{l}.ln1.w": norm(`${at}.input_layernorm`),
    ...matrices("blocks.{l}.attn", LLAMA_PROJECTIONS),
    ...optionalBiases("blocks.{l}.attn", LLAMA_PROJECTIONS),
    "blocks.{l}.ln2.w": norm(`${at}.post_attention_layernorm`),
    ...matrices("blocks.{l}.mlp", LLAMA_MLP),
    "ln_final.w": norm("model.norm"),
  };
}

function laterSources(): Sources {
  return {
    ...sources(),
    "blocks.{l}.ln1_post.w": norm(`${at}.post_attention_layernorm`),
    "blocks.{l}.ln2.w": norm(`${at}.pre_feedforward_layernorm`),
    "blocks.{l}.ln2_post.w": norm(`${at}.post_feedforward_layernorm`),
  };
}

/** What the files of all Gemmas say, and what they leave out. */
function config(json: Fields, called: string, defaults: Readonly<Record<string, number>>): Record<string, unknown> {
  json.only("use_bidirectional_attention", false);
  const full: Fields = {
    ...json,
    need: <T>(name: string) => (name in defaults ? json.or<T>(name, defaults[name] as T) : json.need<T>(name)),
  };
  const { num_key_value_heads, rope_theta } = defaults;
  const act_field = json.or("hidden_activation", null) === null ? "hidden_act" : "hidden_activation";
  const act = { act_field, hidden_act: "gelu_pytorch_tanh" };
  return llamaConfig(full, called, { ...act, head_dim: 256, num_key_value_heads, rope_theta });
}

/** @param local whether a layer has a window, where the file does not say */
function later(json: Fields, local: (layer: number) => boolean): Record<string, unknown> {
  return {
    use_normalization_before_and_after: true,
    attn_scale: Math.sqrt(json.or("query_pre_attn_scalar", 256)),
    ...windowed(json.orNull("sliding_window", 4096), localLayers(json, json.or("num_hidden_layers", 26), local)),
  };
}

const scales = (json: Fields) => ({ embedding: Math.sqrt(json.or("hidden_size", LATER_DEFAULTS.hidden_size)) });

export const gemma = huggingFace({
  name: "gemma",
  called: "Gemma",
  architecture: "GemmaForCausalLM",
  embedding: "model.embed_tokens.weight",
  unembedding: "lm_head.weight",
  tied: true,
  fields: FIELDS,
  config: (json) => config(json, "Gemma", { num_key_value_heads: 16 }),
  sources,
  scales,
});

export const gemma2 = huggingFace({
  name: "gemma2",
  called: "Gemma 2",
  architecture: "Gemma2ForCausalLM",
  embedding: "model.embed_tokens.weight",
  unembedding: "lm_head.weight",
  tied: true,
  fields: { ...LATER_FIELDS, sliding_window_size: orNull(SIZE) },
  config(json) {
    json.only("sliding_window_size", json.or("sliding_window", 4096)); // published files say it twice
    return {
      ...config(json, "Gemma 2", { num_key_value_heads: 4 }),
      ...later(json, (layer) => layer % 2 === 0),
      attn_scores_soft_cap: json.orNull("attn_logit_softcapping", 50) ?? -1,
      output_logits_soft_cap: json.orNull("final_logit_softcapping", 30) ?? -1,
    };
  },
  sources: laterSources,
  scales,
});

/** What Gemma 3's files leave out. */
const LATER_DEFAULTS = {
  vocab_size: 262_208,
  hidden_size: 2304,
  intermediate_size: 9216,
  num_hidden_layers: 26,
  num_attention_heads: 8,
  num_key_value_heads: 4,
  max_position_embeddings: 131_072,
  rope_theta: 1_000_000,
} as const;

/** What local layers turn by; scaling is of the others alone. */
const LOCAL_BASE = 10_000;

/** Older files say one base for all layers and another for local ones, and newer ones `rope_parameters` of each kind. */
function localBase(json: Fields): Record<string, unknown> {
  const parameters = json.or<Record<string, { readonly rope_theta?: number } | undefined>>("rope_parameters", {});
  const own = parameters.sliding_attention;
  if (own && typeof own.rope_theta === "number") return {};
  return { rotary_base_local: json.or("rope_local_base_freq", LOCAL_BASE) };
}

export const gemma3 = huggingFace({
  name: "gemma3_text",
  called: "Gemma 3",
  architecture: "Gemma3ForCausalLM",
  embedding: "model.embed_tokens.weight",
  unembedding: "lm_head.weight",
  tied: true,
  fields: {
    ...LATER_FIELDS,
    rope_local_base_freq: POSITIVE,
    sliding_window_pattern: WHOLE,
    _sliding_window_pattern: WHOLE,
  },
  config(json) {
    const every = json.or("sliding_window_pattern", json.or("_sliding_window_pattern", 6));
    return {
      ...config(json, "Gemma 3", LATER_DEFAULTS),
      ...later(json, (layer) => (layer + 1) % every !== 0),
      ...localBase(json),
      use_qk_norm: true,
      attn_scores_soft_cap: json.or("attn_logit_softcapping", -1),
      output_logits_soft_cap: json.or("final_logit_softcapping", -1),
    };
  },
  sources: () => ({
    ...laterSources(),
    "blocks.{l}.attn.q_norm.w": norm(`${at}.self_attn.q_norm`),
    "blocks.{l}.attn.k_norm.w": norm(`${at}.self_attn.k_norm`),
  }),
  scales,
});
