/** GPTBigCode (Starcoder, SantaCoder): GPT-2 with one head of keys and values for all. */
import { FLAG, orNull, TEXT } from "../../tensor/kinds.ts";
import { EPS, LAYERS, SIZE } from "../config/bounds.ts";
import { linear, rowsOf, same } from "./checkpoint.ts";
import { activation, huggingFace } from "./hugging-face.ts";

export const gptBigcode = huggingFace({
  name: "gpt_bigcode",
  called: "GPTBigCode",
  architecture: "GPTBigCodeForCausalLM",
  embedding: "transformer.wte.weight",
  fields: {
    model_type: TEXT,
    n_layer: LAYERS,
    n_embd: SIZE,
    n_head: SIZE,
    n_inner: orNull(SIZE),
    n_positions: SIZE,
    vocab_size: SIZE,
    num_key_value_heads: orNull(SIZE),
    activation_function: TEXT,
    layer_norm_epsilon: EPS,
    scale_attn_weights: FLAG,
    // In which precision scores are scaled; all arithmetic is in float32.
    attention_softmax_in_fp32: FLAG,
    scale_attention_softmax_in_fp32: FLAG,
    multi_query: FLAG,
    tie_word_embeddings: FLAG,
  },
  config(json) {
    json.only("multi_query", true);
    const [d_model, heads] = [json.need("n_embd"), json.need("n_head")];
    return {
      n_layers: json.need("n_layer"),
      d_model,
      n_heads: heads,
      n_key_value_heads: heads === 1 ? null : 1,
      d_head: d_model / heads,
      d_mlp: json.or("n_inner", 4 * d_model),
      n_ctx: json.need("n_positions"),
      d_vocab: json.need("vocab_size"),
      act_fn: activation(json.or("activation_function", "gelu_pytorch_tanh")),
      eps: json.or("layer_norm_epsilon", 1e-5),
      use_attn_scale: json.or("scale_attn_weights", true),
      normalization_type: "LN",
    };
  },
  sources({ nHeads, dHead }, has) {
    const at = "transformer.h.{l}";
    const width = nHeads * dHead;
    // All queries, then the key, then the value.
    const part = (first: number, kind: "weight" | "bias") =>
      rowsOf(`${at}.attn.c_attn.${kind}`, width + 2 * dHead, (head, e) => first + head * dHead + e);
    return {
      "embed.W_E": same("transformer.wte.weight"),
      "pos_embed.W_pos": same("transformer.wpe.weight"),
      "blocks.{l}.ln1.w": same(`${at}.ln_1.weight`),
      "blocks.{l}.ln1.b": same(`${at}.ln_1.bias`),
      "blocks.{l}.attn.W_Q": part(0, "weight"),
      "blocks.{l}.attn.b_Q": part(0, "bias"),
      "blocks.{l}.attn.W_K": part(width, "weight"),
      "blocks.{l}.attn.b_K": part(width, "bias"),
      "blocks.{l}.attn.W_V": part(width + dHead, "weight"),
      "blocks.{l}.attn.b_V": part(width + dHead, "bias"),
      "blocks.{l}.attn.W_O": linear(`${at}.attn.c_proj.weight`),
      "blocks.{l}.attn.b_O": same(`${at}.attn.c_proj.bias`),
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
  buffers: /\.attn\.(bias|masked_bias)$/,
});
