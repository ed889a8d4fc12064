/** GPT-Neo and TinyStories: learned positions, scores that are not divided, every other layer local. */
import { ANYTHING, FLAG, listOf, oneOf, orNull, TEXT } from "../../tensor/kinds.ts";
import { EPS, LAYERS, SIZE } from "../config/bounds.ts";
import { linear, same } from "./checkpoint.ts";
import { activation, huggingFace } from "./hugging-face.ts";

export const gptNeo = huggingFace({
  name: "gpt_neo",
  called: "GPT-Neo",
  architecture: "GPTNeoForCausalLM",
  embedding: "transformer.wte.weight",
  fields: {
    model_type: TEXT,
    num_layers: LAYERS,
    hidden_size: SIZE,
    num_heads: SIZE,
    intermediate_size: orNull(SIZE),
    max_position_embeddings: SIZE,
    vocab_size: SIZE,
    activation_function: TEXT,
    layer_norm_epsilon: EPS,
    window_size: SIZE,
    attention_layers: orNull(listOf(oneOf(["global", "local"]), "names")),
    attention_types: ANYTHING,
    tie_word_embeddings: FLAG,
  },
  config(json) {
    const [d_model, heads, layers] = [json.need("hidden_size"), json.need("num_heads"), json.need("num_layers")];
    const types = json.or<readonly string[]>("attention_layers", attentionLayers(json.or("attention_types", [])));
    return {
      n_layers: layers,
      d_model,
      n_heads: heads,
      d_head: d_model / heads,
      d_mlp: json.or("intermediate_size", 4 * d_model),
      n_ctx: json.need("max_position_embeddings"),
      d_vocab: json.need("vocab_size"),
      act_fn: activation(json.or("activation_function", "gelu_new")),
      eps: json.or("layer_norm_epsilon", 1e-5),
      normalization_type: "LN",
      use_attn_scale: false,
      use_local_attn: types.includes("local"),
      window_size: json.or("window_size", 256),
      attn_types: types,
    };
  },
  sources(_config, has) {
    const at = "transformer.h.{l}";
    return {
      "embed.W_E": same("transformer.wte.weight"),
      "pos_embed.W_pos": same("transformer.wpe.weight"),
      "blocks.{l}.ln1.w": same(`${at}.ln_1.weight`),
      "blocks.{l}.ln1.b": same(`${at}.ln_1.bias`),
      "blocks.{l}.attn.W_Q": linear(`${at}.attn.attention.q_proj.weight`),
      "blocks.{l}.attn.W_K": linear(`${at}.attn.attention.k_proj.weight`),
      "blocks.{l}.attn.W_V": linear(`${at}.attn.attention.v_proj.weight`),
      "blocks.{l}.attn.W_O": linear(`${at}.attn.attention.out_proj.weight`),
      "blocks.{l}.attn.b_O": same(`${at}.attn.attention.out_proj.bias`),
      "blocks.{l}.ln2.w": same(`${at}.ln_2.weight`),
      "blocks.{l}.ln2.b": same(`${at}.ln_2.bias`),
      "blocks.{l}.mlp.W_in": linear(`${at}.mlp.c_fc.weight`),
      "blocks.{l}.mlp.b_in": same(`${at}.mlp.c_fc.bias`),
      "blocks.{l}.mlp.W_out": linear(`${at}.mlp.c_proj.weight`),
      "blocks.{l}.mlp.b_out": same(`${at}.mlp.c_proj.bias`),
      "ln_final.w": same("transformer.ln_f.weight"),
      "ln_final.b": same("transformer.ln_f.bias"),
      "unembed.W_U": linear(has("lm_head.weight") ? "lm_head.weight" : "transformer.wte.weight"),
    };
  },
  buffers: /\.attn\.attention\.(bias|masked_bias)$/,
});

/** `[[["global", "local"], 6]]`: six times both. */
function attentionLayers(types: readonly (readonly [readonly string[], number])[]): string[] {
  return types.flatMap(([names, times]) => Array.from({ length: times }, () => names).flat());
}
