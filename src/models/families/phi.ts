/** Phi 1 and 2: rotary positions on a part of each head; attention and MLP side by side, of one norm. */
import { FLAG, OBJECT, orNull, POSITIVE, TEXT } from "../../tensor/kinds.ts";
import { EPS, LAYERS, SIZE } from "../config/bounds.ts";
import { linear, same } from "./checkpoint.ts";
import { activation, huggingFace, rotary, SHARE } from "./hugging-face.ts";

export const phi = huggingFace({
  name: "phi",
  called: "Phi",
  architecture: "PhiForCausalLM",
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
    tie_word_embeddings: FLAG,
  },
  config(json) {
    json.only("qk_layernorm", false);
    const [d_model, heads] = [json.need("hidden_size"), json.need("num_attention_heads")];
    const keyValueHeads = json.or("num_key_value_heads", heads);
    const { base, share } = rotary(json, "Phi", 0.5);
    return {
      n_layers: json.need("num_hidden_layers"),
      d_model,
      n_heads: heads,
      n_key_value_heads: keyValueHeads === heads ? null : keyValueHeads,
      d_head: d_model / heads,
      d_mlp: json.need("intermediate_size"),
      n_ctx: json.need("max_position_embeddings"),
      d_vocab: json.need("vocab_size"),
      act_fn: activation(json.or("hidden_act", "gelu_new")),
      eps: json.or("layer_norm_eps", 1e-5),
      normalization_type: "LN",
      parallel_attn_mlp: true,
      positional_embedding_type: "rotary",
      rotary_dim: Math.floor((d_model / heads) * share),
      rotary_base: base,
    };
  },
  sources(_config, has) {
    const at = "model.layers.{l}";
    const [w, b] = [same(`${at}.input_layernorm.weight`), same(`${at}.input_layernorm.bias`)];
    return {
      "embed.W_E": same("model.embed_tokens.weight"),
      "blocks.{l}.ln1.w": w,
      "blocks.{l}.ln1.b": b,
      "blocks.{l}.ln2.w": w,
      "blocks.{l}.ln2.b": b,
      "blocks.{l}.attn.W_Q": linear(`${at}.self_attn.q_proj.weight`),
      "blocks.{l}.attn.b_Q": same(`${at}.self_attn.q_proj.bias`),
      "blocks.{l}.attn.W_K": linear(`${at}.self_attn.k_proj.weight`),
      "blocks.{l}.attn.b_K": same(`${at}.self_attn.k_proj.bias`),
      "blocks.{l}.attn.W_V": linear(`${at}.self_attn.v_proj.weight`),
      "blocks.{l}.attn.b_V": same(`${at}.self_attn.v_proj.bias`),
      "blocks.{l}.attn.W_O": linear(`${at}.self_attn.dense.weight`),
      "blocks.{l}.attn.b_O": same(`${at}.self_attn.dense.bias`),
      "blocks.{l}.mlp.W_in": linear(`${at}.mlp.fc1.weight`),
      "blocks.{l}.mlp.b_in": same(`${at}.mlp.fc1.bias`),
      "blocks.{l}.mlp.W_out": linear(`${at}.mlp.fc2.weight`),
      "blocks.{l}.mlp.b_out": same(`${at}.mlp.fc2.bias`),
      "ln_final.w": same("model.final_layernorm.weight"),
      "ln_final.b": same("model.final_layernorm.bias"),
      "unembed.W_U": linear(has("lm_head.weight") ? "lm_head.weight" : "model.embed_tokens.weight"),
      "unembed.b_U": same("lm_head.bias"),
    };
  },
});
