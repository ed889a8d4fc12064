/** Llama and its kin: rotary positions, RMSNorm, gated MLPs, keys and values that heads may share. */
import { FLAG, listOf, OBJECT, orNull, POSITIVE, TEXT, WHOLE } from "../../tensor/kinds.ts";
import { EPS, LAYERS, SIZE } from "../config/bounds.ts";
import { linear, optional, type Sources, same } from "./checkpoint.ts";
import { activation, type Fields, huggingFace, rotary } from "./hugging-face.ts";
import type { FieldKinds } from "./read-fields.ts";

const FIELDS: FieldKinds = {
  model_type: TEXT,
  num_hidden_layers: LAYERS,
  hidden_size: SIZE,
  num_attention_heads: SIZE,
  num_key_value_heads: orNull(SIZE),
  head_dim: orNull(SIZE),
  intermediate_size: SIZE,
  max_position_embeddings: SIZE,
  vocab_size: SIZE,
  hidden_act: TEXT,
  rms_norm_eps: EPS,
  rope_theta: orNull(POSITIVE),
  rope_scaling: orNull(OBJECT),
  rope_parameters: orNull(OBJECT),
  tie_word_embeddings: FLAG,
};

function config(json: Fields, called: string): Record<string, unknown> {
  const heads = json.need("num_attention_heads");
  const keyValueHeads = json.or("num_key_value_heads", heads);
  const d_head = json.or("head_dim", json.need("hidden_size") / heads);
  return {
    n_layers: json.need("num_hidden_layers"),
    d_model: json.need("hidden_size"),
    n_heads: heads,
    n_key_value_heads: keyValueHeads === heads ? null : keyValueHeads,
    d_head,
    d_mlp: json.need("intermediate_size"),
    n_ctx: json.need("max_position_embeddings"),
    d_vocab: json.need("vocab_size"),
    act_fn: activation(json.or("hidden_act", "silu")),
    eps: json.or("rms_norm_eps", 1e-6),
    normalization_type: "RMS",
    final_rms: true,
    gated_mlp: true,
    positional_embedding_type: "rotary",
    rotary_dim: d_head,
    rotary_base: rotary(json, called).base,
  };
}

/** @param biases which projections of attention have some: all or none, as a file's own flag says; or those of Qwen */
function sources(has: (name: string) => boolean, biases: "all or none" | "q, k and v" | "none"): Sources {
  const at = "model.layers.{l}";
  const bias = (projection: string) => {
    const source = same(`${at}.self_attn.${projection}.bias`);
    return biases === "all or none" ? optional(source) : source;
  };
  const queriesKeysValues =
    biases === "none"
      ? {}
      : {
          "blocks.{l}.attn.b_Q": bias("q_proj"),
          "blocks.{l}.attn.b_K": bias("k_proj"),
          "blocks.{l}.attn.b_V": bias("v_proj"),
        };
  return {
    ...queriesKeysValues,
    ...(biases === "all or none" ? { "blocks.{l}.attn.b_O": bias("o_proj") } : {}),
    "embed.W_E": same("model.embed_tokens.weight"),
    "blocks.{l}.ln1.w": same(`${at}.input_layernorm.weight`),
    "blocks.{l}.attn.W_Q": linear(`${at}.self_attn.q_proj.weight`),
    "blocks.{l}.attn.W_K": linear(`${at}.self_attn.k_proj.weight`),
    "blocks.{l}.attn.W_V": linear(`${at}.self_attn.v_proj.weight`),
    "blocks.{l}.attn.W_O": linear(`${at}.self_attn.o_proj.weight`),
    "blocks.{l}.ln2.w": same(`${at}.post_attention_layernorm.weight`),
    "blocks.{l}.mlp.W_gate": linear(`${at}.mlp.gate_proj.weight`),
    "blocks.{l}.mlp.W_in": linear(`${at}.mlp.up_proj.weight`),
    "blocks.{l}.mlp.W_out": linear(`${at}.mlp.down_proj.weight`),
    "ln_final.w": same("model.norm.weight"),
    "unembed.W_U": linear(has("lm_head.weight") ? "lm_head.weight" : "model.embed_tokens.weight"),
  };
}

/** An inverse frequency that old versions of transformers saved with the weights. */
const buffers = /\.rotary_emb\.inv_freq$/;

export const llama = huggingFace({
  name: "llama",
  called: "Llama",
  architecture: "LlamaForCausalLM",
  embedding: "model.embed_tokens.weight",
  fields: { ...FIELDS, attention_bias: FLAG, mlp_bias: FLAG },
  config(json) {
    json.only("mlp_bias", false);
    return config(json, "Llama");
  },
  sources: (_config, has) => sources(has, "all or none"),
  buffers,
});

export const mistral = huggingFace({
  name: "mistral",
  called: "Mistral",
  architecture: "MistralForCausalLM",
  embedding: "model.embed_tokens.weight",
  fields: { ...FIELDS, sliding_window: orNull(SIZE) },
  config(json) {
    const window = json.or<number | null>("sliding_window", null);
    const layers = json.need("num_hidden_layers");
    if (window === null) return config(json, "Mistral");
    return {
      ...config(json, "Mistral"),
      use_local_attn: true,
      window_size: window,
      attn_types: new Array<string>(layers).fill("local"),
    };
  },
  sources: (_config, has) => sources(has, "none"),
  buffers,
});

export const qwen2 = huggingFace({
  name: "qwen2",
  called: "Qwen 2",
  architecture: "Qwen2ForCausalLM",
  embedding: "model.embed_tokens.weight",
  fields: {
    ...FIELDS,
    sliding_window: orNull(SIZE),
    use_sliding_window: FLAG,
    max_window_layers: WHOLE,
    layer_types: orNull(listOf(TEXT, "names")),
  },
  config(json) {
    const window = json.or("use_sliding_window", false) ? json.or<number | null>("sliding_window", null) : null;
    if (window === null) return config(json, "Qwen 2");
    const layers = json.need("num_hidden_layers");
    // Layers from `max_window_layers` on have the window, unless the file says which.
    const from = json.or("max_window_layers", 28);
    const types = json.or<readonly string[]>(
      "layer_types",
      Array.from({ length: layers }, (_, l) => (l >= from ? "sliding_attention" : "full_attention")),
    );
    return {
      ...config(json, "Qwen 2"),
      use_local_attn: true,
      window_size: window,
      attn_types: types.map((type) => (type === "sliding_attention" ? "local" : "global")),
    };
  },
  sources: (_config, has) => sources(has, "q, k and v"),
  buffers,
});
