/** Starcoder 2: rotary positions, LayerNorm, plain MLPs, keys and values that heads share. */
import { FLAG, OBJECT, orNull, POSITIVE, TEXT } from "../../tensor/kinds.ts";
import { EPS, LAYERS, SIZE } from "../config/bounds.ts";
import { linear, optional, same } from "./checkpoint.ts";
import { activation, huggingFace, rotary } from "./hugging-face.ts";

export const starcoder2 = huggingFace({
  name: "starcoder2",
  called: "Starcoder 2",
  architecture: "Starcoder2ForCausalLM",
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
    norm_epsilon: EPS,
    rope_theta: orNull(POSITIVE),
    rope_scaling: orNull(OBJECT),
    rope_parameters: orNull(OBJECT),
    sliding_window: orNull(SIZE),
    use_bias: FLAG,
    tie_word_embeddings: FLAG,
  },
  config(json) {
    const [d_model, heads] = [json.need("hidden_size"), json.need("num_attention_heads")];
    const keyValueHeads = json.or("num_key_value_heads", 2);
    const layers = json.need("num_hidden_layers");
    const window = json.or<number | null>("sliding_window", null);
    return {
      n_layers: layers,
      d_model,
      n_heads: heads,
      n_key_value_heads: keyValueHeads === heads ? null : keyValueHeads,
      d_head: d_model / heads,
      d_mlp: json.need("intermediate_size"),
      n_ctx: json.need("max_position_embeddings"),
      d_vocab: json.need("vocab_size"),
      act_fn: activation(json.or("hidden_act", "gelu_pytorch_tanh")),
      eps: json.or("norm_epsilon", 1e-5),
      normalization_type: "LN",
      positional_embedding_type: "rotary",
      rotary_dim: d_model / heads,
      rotary_base: rotary(json, "Starcoder 2").base,
      use_local_attn: window !== null,
      window_size: window,
      attn_types: window === null ? null : new Array<string>(layers).fill("local"),
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
      "blocks.{l}.attn.b_O": optional(same(`${at}.self_attn.o_proj.bias`)),
      "blocks.{l}.ln2.w": same(`${at}.post_attention_layernorm.weight`),
      "blocks.{l}.ln2.b": same(`${at}.post_attention_layernorm.bias`),
      "blocks.{l}.mlp.W_in": linear(`${at}.mlp.c_fc.weight`),
      "blocks.{l}.mlp.b_in": optional(same(`${at}.mlp.c_fc.bias`)),
      "blocks.{l}.mlp.W_out": linear(`${at}.mlp.c_proj.weight`),
      "blocks.{l}.mlp.b_out": optional(same(`${at}.mlp.c_proj.bias`)),
      "ln_final.w": same("model.norm.weight"),
      "ln_final.b": same("model.norm.bias"),
      "unembed.W_U": linear(has("lm_head.weight") ? "lm_head.weight" : "model.embed_tokens.weight"),
    };
  },
});
