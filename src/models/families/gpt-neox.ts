/** GPT-NeoX and Pythia: rotary positions on a part of each head, attention and MLP side by side. */
import { FLAG, OBJECT, orNull, POSITIVE, TEXT } from "../../tensor/kinds.ts";
import { EPS, LAYERS, SIZE } from "../config/bounds.ts";
import { linear, optional, rowsOf, same } from "./checkpoint.ts";
import { activation, huggingFace, rotary, SHARE } from "./hugging-face.ts";

export const gptNeox = huggingFace({
  name: "gpt_neox",
  called: "GPT-NeoX",
  architecture: "GPTNeoXForCausalLM",
  embedding: "gpt_neox.embed_in.weight",
  fields: {
    model_type: TEXT,
    num_hidden_layers: LAYERS,
    hidden_size: SIZE,
    num_attention_heads: SIZE,
    intermediate_size: SIZE,
    max_position_embeddings: SIZE,
    vocab_size: SIZE,
    hidden_act: TEXT,
    layer_norm_eps: EPS,
    rotary_pct: orNull(SHARE),
    rotary_emb_base: orNull(POSITIVE),
    rope_theta: orNull(POSITIVE),
    rope_scaling: orNull(OBJECT),
    rope_parameters: orNull(OBJECT),
    partial_rotary_factor: orNull(SHARE),
    use_parallel_residual: FLAG,
    attention_bias: FLAG,
    tie_word_embeddings: FLAG,
  },
  config(json) {
    const [d_model, heads] = [json.need("hidden_size"), json.need("num_attention_heads")];
    // Older files say `rotary_pct`, which is a quarter where it is left out.
    const { base, share } = rotary(json, "GPT-NeoX", 0.25);
    return {
      n_layers: json.need("num_hidden_layers"),
      d_model,
      n_heads: heads,
      d_head: d_model / heads,
      d_mlp: json.need("intermediate_size"),
      n_ctx: json.need("max_position_embeddings"),
      d_vocab: json.need("vocab_size"),
      act_fn: activation(json.or("hidden_act", "gelu")),
      eps: json.or("layer_norm_eps", 1e-5),
      normalization_type: "LN",
      parallel_attn_mlp: json.or("use_parallel_residual", true),
      positional_embedding_type: "rotary",
      rotary_dim: Math.floor((d_model / heads) * share),
      rotary_base: base,
    };
  },
  sources({ nHeads, dHead }, has) {
    const at = "gpt_neox.layers.{l}";
    // Each head's query, key and value, one after the other.
    const part = (which: number, kind: "weight" | "bias") =>
      rowsOf(
        `${at}.attention.query_key_value.${kind}`,
        3 * nHeads * dHead,
        (head, e) => (head * 3 + which) * dHead + e,
      );
    return {
      "embed.W_E": same("gpt_neox.embed_in.weight"),
      "blocks.{l}.ln1.w": same(`${at}.input_layernorm.weight`),
      "blocks.{l}.ln1.b": same(`${at}.input_layernorm.bias`),
      "blocks.{l}.attn.W_Q": part(0, "weight"),
      "blocks.{l}.attn.b_Q": optional(part(0, "bias")),
      "blocks.{l}.attn.W_K": part(1, "weight"),
      "blocks.{l}.attn.b_K": optional(part(1, "bias")),
      "blocks.{l}.attn.W_V": part(2, "weight"),
      "blocks.{l}.attn.b_V": optional(part(2, "bias")),
      "blocks.{l}.attn.W_O": linear(`${at}.attention.dense.weight`),
      "blocks.{l}.attn.b_O": optional(same(`${at}.attention.dense.bias`)),
      "blocks.{l}.ln2.w": same(`${at}.post_attention_layernorm.weight`),
      "blocks.{l}.ln2.b": same(`${at}.post_attention_layernorm.bias`),
      "blocks.{l}.mlp.W_in": linear(`${at}.mlp.dense_h_to_4h.weight`),
      "blocks.{l}.mlp.b_in": same(`${at}.mlp.dense_h_to_4h.bias`),
      "blocks.{l}.mlp.W_out": linear(`${at}.mlp.dense_4h_to_h.weight`),
      "blocks.{l}.mlp.b_out": same(`${at}.mlp.dense_4h_to_h.bias`),
      "ln_final.w": same("gpt_neox.final_layer_norm.weight"),
      "ln_final.b": same("gpt_neox.final_layer_norm.bias"),
      "unembed.W_U": linear(has("embed_out.weight") ? "embed_out.weight" : "gpt_neox.embed_in.weight"),
    };
  },
  buffers: /\.(attention\.(bias|masked_bias)|rotary_emb\.inv_freq)$/,
});
