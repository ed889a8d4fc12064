/** GPT-2 and what came of it: learned positions or ALiBi, LayerNorms, queries, keys and values in one matrix. */
import type { ConfigJson } from "../family.ts";
import type { GgufArchitecture } from "./architecture.ts";
import { byGroup, byHead, keyValueHeads, turned } from "./changes.ts";
import { partialRope, sizes } from "./decoder.ts";
import type { GgufSettings } from "./settings.ts";

const h = "transformer.h.{l}";

const GPT2_NAMES = {
  token_embd: "transformer.wte",
  position_embd: "transformer.wpe",
  output_norm: "transformer.ln_f",
  output: "lm_head",
  "blk.attn_norm": `${h}.ln_1`,
  "blk.ffn_norm": `${h}.ln_2`,
  "blk.attn_qkv": `${h}.attn.c_attn`,
  "blk.attn_output": `${h}.attn.c_proj`,
  "blk.ffn_up": `${h}.mlp.c_fc`,
  "blk.ffn_down": `${h}.mlp.c_proj`,
};

const eps = (s: GgufSettings): number => s.need("attention.layer_norm_epsilon");

function gptConfig(model_type: string, s: GgufSettings): ConfigJson {
  const { layers, d_model, heads, d_vocab } = sizes(s);
  return {
    model_type,
    n_layer: layers,
    n_embd: d_model,
    n_head: heads,
    n_inner: s.rows("blk.0.ffn_up.weight"),
    n_positions: s.rows("position_embd.weight"),
    vocab_size: d_vocab,
    layer_norm_epsilon: eps(s),
  };
}

/** Its unembedding is stored although it is the embedding; a bias has no two axes to turn. */
export const gpt2: GgufArchitecture = {
  name: "gpt2",
  config: (s) => gptConfig("gpt2", s),
  names: () => GPT2_NAMES,
  changes: Object.fromEntries(
    ["blk.attn_qkv", "blk.attn_output", "blk.ffn_up", "blk.ffn_down"].map((name) => [
      name,
      { ...turned, make: (array, s) => (array.shape.length === 1 ? array : turned.make(array, s)) },
    ]),
  ),
};

/** StarCoder 1 and SantaCoder: GPTBigCode. */
export const starcoder: GgufArchitecture = {
  name: "starcoder",
  config: (s) => ({ ...gptConfig("gpt_bigcode", s), multi_query: keyValueHeads(s) === 1 }),
  names: () => GPT2_NAMES,
};

const neox = "gpt_neox.layers.{l}";

export const gptneox: GgufArchitecture = {
  name: "gptneox",
  config(s) {
    const { layers, d_model, heads, n_ctx, d_vocab, tied } = sizes(s);
    return {
      model_type: "gpt_neox",
      num_hidden_layers: layers,
      hidden_size: d_model,
      num_attention_heads: heads,
      intermediate_size: s.rows("blk.0.ffn_up.weight"),
      max_position_embeddings: n_ctx,
      vocab_size: d_vocab,
      tie_word_embeddings: tied,
      layer_norm_eps: eps(s),
      use_parallel_residual: s.flag("use_parallel_residual", true),
      ...partialRope(s),
    };
  },
  names: () => ({
    token_embd: "gpt_neox.embed_in",
    output_norm: "gpt_neox.final_layer_norm",
    output: "embed_out",
    "blk.attn_norm": `${neox}.input_layernorm`,
    "blk.ffn_norm": `${neox}.post_attention_layernorm`,
    "blk.attn_qkv": `${neox}.attention.query_key_value`,
    "blk.attn_output": `${neox}.attention.dense`,
    "blk.ffn_up": `${neox}.mlp.dense_h_to_4h`,
    "blk.ffn_down": `${neox}.mlp.dense_4h_to_h`,
  }),
  changes: { "blk.attn_qkv": byHead },
};

const BLOOM_NAMES = {
  token_embd: "transformer.word_embeddings",
  token_embd_norm: "transformer.word_embeddings_layernorm",
  output_norm: "transformer.ln_f",
  output: "lm_head",
  "blk.attn_norm": `${h}.input_layernorm`,
  "blk.ffn_norm": `${h}.post_attention_layernorm`,
  "blk.attn_qkv": `${h}.self_attention.query_key_value`,
  "blk.attn_output": `${h}.self_attention.dense`,
  "blk.ffn_up": `${h}.mlp.dense_h_to_4h`,
  "blk.ffn_down": `${h}.mlp.dense_4h_to_h`,
};

export const bloom: GgufArchitecture = {
  name: "bloom",
  config(s) {
    const { layers, d_model, heads, n_ctx, d_vocab } = sizes(s);
    const fields = { model_type: "bloom", n_layer: layers, hidden_size: d_model, n_head: heads, vocab_size: d_vocab };
    return { ...fields, seq_length: n_ctx, layer_norm_epsilon: eps(s) };
  },
  names: () => BLOOM_NAMES,
  changes: { "blk.attn_qkv": byHead },
};

/** A second norm, for attention alone, is what the 40B model and later ones have. */
export const falcon: GgufArchitecture = {
  name: "falcon",
  config(s) {
    const { layers, d_model, heads, n_ctx, d_vocab, tied } = sizes(s);
    const isNew = s.has("blk.0.attn_norm_2.weight");
    return {
      model_type: "falcon",
      num_hidden_layers: layers,
      hidden_size: d_model,
      num_attention_heads: heads,
      ...(isNew ? { num_kv_heads: keyValueHeads(s) } : { multi_query: keyValueHeads(s) === 1 }),
      ffn_hidden_size: s.rows("blk.0.ffn_up.weight"),
      max_position_embeddings: n_ctx,
      vocab_size: d_vocab,
      tie_word_embeddings: tied,
      layer_norm_epsilon: eps(s),
      new_decoder_architecture: isNew,
      parallel_attn: true,
      bias: s.has("blk.0.attn_qkv.bias"),
      alibi: false,
    };
  },
  names: (s) =>
    s.has("blk.0.attn_norm_2.weight")
      ? { ...BLOOM_NAMES, "blk.attn_norm": `${h}.ln_mlp`, "blk.attn_norm_2": `${h}.ln_attn` }
      : BLOOM_NAMES,
  changes: { "blk.attn_qkv": byGroup },
};

const block = "transformer.blocks.{l}";

export const mpt: GgufArchitecture = {
  name: "mpt",
  config(s) {
    const { layers, d_model, heads, n_ctx, d_vocab, tied } = sizes(s);
    return {
      model_type: "mpt",
      n_layers: layers,
      d_model,
      n_heads: heads,
      expansion_ratio: s.rows("blk.0.ffn_up.weight") / d_model,
      max_seq_len: n_ctx,
      vocab_size: d_vocab,
      tie_word_embeddings: tied,
      layer_norm_epsilon: eps(s),
      attn_config: {
        alibi: s.or("attention.max_alibi_bias", 0) > 0,
        alibi_bias_max: s.or("attention.max_alibi_bias", 8),
        clip_qkv: s.maybe("attention.clamp_kqv") ?? null,
      },
    };
  },
  names: () => ({
    token_embd: "transformer.wte",
    position_embd: "transformer.wpe",
    output_norm: "transformer.norm_f",
    output: "lm_head",
    "blk.attn_norm": `${block}.norm_1`,
    "blk.ffn_norm": `${block}.norm_2`,
    "blk.attn_qkv": `${block}.attn.Wqkv`,
    "blk.attn_output": `${block}.attn.out_proj`,
    "blk.ffn_up": `${block}.ffn.up_proj`,
    "blk.ffn_down": `${block}.ffn.down_proj`,
  }),
};
