/** StableLM: rotary positions on a part of each head, LayerNorm, gated MLPs. */
import { FLAG, OBJECT, orNull, POSITIVE, TEXT } from "../../tensor/kinds.ts";
import { EPS, LAYERS, SIZE } from "../config/bounds.ts";
import { linear, optional, same } from "./checkpoint.ts";
import { activation, huggingFace, rotary, SHARE } from "./hugging-face.ts";

export const stablelm = huggingFace({
  name: "stablelm",
  called: "StableLM",
  architecture: "StableLmForCausalLM",
  embedding: "model.embed_tokens.weight",
  fields: {
    model_type: TEXT,
    num_hidden_layers: LAYERS,
    hidden_size: SIZE,
    num_attention_heads: SIZE,
    num_key_value_heads: orNull(SIZE),
    intermediate_size: SIZE,
    max_position_embeddings: SIZE,
    vocab_size: SIZE,
    hidden_act: TEXT,
    layer_norm_eps: EPS,
    rope_theta: orNull(POSITIVE),
    rope_scaling: orNull(OBJECT),
    rope_parameters: orNull(OBJECT),
    partial_rotary_factor: orNull(SHARE),
    qk_layernorm: FLAG,
    use_parallel_residual: FLAG,
    use_qkv_bias: FLAG,
    tie_word_embeddings: FLAG,
  },
  config(json) {
    json.only("qk_layernorm", false);
    json.only("use_parallel_residual", false);
    const [d_model, heads] = [json.need("hidden_size"), json.need("num_attention_heads")];
    const keyValueHeads = json.or("num_key_value_heads", heads);
    const { base, share } = rotary(json, "StableLM", 0.25);
    return {
      n_layers: json.need("num_hidden_layers"),
      d_model,
      n_heads: heads,
      n_key_value_heads: keyValueHeads === heads ? null : keyValueHeads,
      d_head: d_model / heads,
      d_mlp: json.need("intermediate_size"),
      n_ctx: json.need("max_position_embeddings"),
      d_vocab: json.need("vocab_size"),
      act_fn: activation(json.or("hidden_act", "silu")),
      eps: json.or("layer_norm_eps", 1e-5),
      normalization_type: "LN",
      gated_mlp: true,
      positional_embedding_type: "rotary",
      rotary_dim: Math.floor((d_model / heads) * share),
      rotary_base: base,
    };
  },
  sources(_config, has) {
    const at = "model.layers.{l}";
    return {
      "embed.W_E": same("model.embed_tokens.weight"),
      "blocks.{l}.ln1.w": same(`${at}.input_layernorm.weight`),
      "blocks.{l}.ln1.b": same(`${at}.input_layernorm.bias`),
      "blocks.{l}.attn.W_Q": linear(`${at}.self_attn.q_proj.weight`),
      "blocks.{l}.attn.b_Q": optional(same(`${at}.self_attn.q_proj.bias`)),
      "blocks.{l}.attn.W_K": linear(`${at}.self_attn.k_proj.weight`),
      "blocks.{l}.attn.b_K": optional(same(`${at}.self_attn.k_proj.bias`)),
      "blocks.{l}.attn.W_V": linear(`${at}.self_attn.v_proj.weight`),
      "blocks.{l}.attn.b_V": optional(same(`${at}.self_attn.v_proj.bias`)),
      "blocks.{l}.attn.W_O": linear(`${at}.self_attn.o_proj.weight`),
      "blocks.{l}.ln2.w": same(`${at}.post_attention_layernorm.weight`),
      "blocks.{l}.ln2.b": same(`${at}.post_attention_layernorm.bias`),
      "blocks.{l}.mlp.W_gate": linear(`${at}.mlp.gate_proj.weight`),
      "blocks.{l}.mlp.W_in": linear(`${at}.mlp.up_proj.weight`),
      "blocks.{l}.mlp.W_out": linear(`${at}.mlp.down_proj.weight`),
      "ln_final.w": same("model.norm.weight"),
      "ln_final.b": same("model.norm.bias"),
      "unembed.W_U": linear(has("lm_head.weight") ? "lm_head.weight" : "model.embed_tokens.weight"),
    };
  },
});
