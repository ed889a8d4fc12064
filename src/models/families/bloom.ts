/** BLOOM: ALiBi positions, and a LayerNorm of the embedding. */
import { FLAG, orNull, TEXT } from "../../tensor/kinds.ts";
import { EPS, LAYERS, SIZE } from "../config/bounds.ts";
import { biases, inGroups, layerNorm, matrices } from "./checkpoint.ts";
import { huggingFace } from "./hugging-face.ts";
import { publishedSlopes } from "./slopes.ts";

const at = "h.{l}";

export const bloom = huggingFace({
  name: "bloom",
  withoutBos: true,
  called: "BLOOM",
  architecture: "BloomForCausalLM",
  embedding: "word_embeddings.weight",
  prefix: "transformer.",
  unembedding: "lm_head.weight",
  tied: true,
  fields: {
    model_type: TEXT,
    n_layer: LAYERS,
    num_hidden_layers: LAYERS,
    n_head: SIZE,
    num_attention_heads: SIZE,
    hidden_size: SIZE,
    n_embed: orNull(SIZE),
    n_inner: orNull(SIZE),
    vocab_size: SIZE,
    seq_length: orNull(SIZE),
    layer_norm_epsilon: EPS,
    apply_residual_connection_post_layernorm: FLAG,
    tie_word_embeddings: FLAG,
    // How its training code computed the same.
    attention_softmax_in_fp32: FLAG,
    bias_dropout_fusion: FLAG,
    masked_softmax_fusion: FLAG,
    skip_bias_add: FLAG,
    skip_bias_add_qkv: FLAG,
    slow_but_exact: FLAG,
    offset_alibi: SIZE,
  },
  config(json) {
    json.only("apply_residual_connection_post_layernorm", false);
    const d_model = json.or("n_embed", json.or("hidden_size", 64));
    const heads = json.or("n_head", json.or("num_attention_heads", 8));
    json.only("n_inner", 4 * d_model);
    return {
      n_layers: json.or("n_layer", json.or("num_hidden_layers", 2)),
      d_model,
      n_heads: heads,
      d_head: d_model / heads,
      d_mlp: 4 * d_model,
      n_ctx: json.or("seq_length", 2048),
      d_vocab: json.or("vocab_size", 250880),
      act_fn: "gelu_new",
      eps: json.or("layer_norm_epsilon", 1e-5),
      normalization_type: "LN",
      post_embedding_ln: true,
      default_prepend_bos: false,
      positional_embedding_type: "alibi",
      alibi_slopes: publishedSlopes(heads),
    };
  },
  sources({ nHeads, dHead }) {
    const dense = { O: `${at}.self_attention.dense` };
    const mlp = { in: `${at}.mlp.dense_h_to_4h`, out: `${at}.mlp.dense_4h_to_h` };
    return {
      ...layerNorm("embed.ln", "word_embeddings_layernorm"),
      ...layerNorm("blocks.{l}.ln1", `${at}.input_layernorm`),
      ...inGroups("blocks.{l}.attn", `${at}.self_attention.query_key_value`, nHeads, nHeads, dHead),
      ...matrices("blocks.{l}.attn", dense),
      ...biases("blocks.{l}.attn", dense),
      ...layerNorm("blocks.{l}.ln2", `${at}.post_attention_layernorm`),
      ...matrices("blocks.{l}.mlp", mlp),
      ...biases("blocks.{l}.mlp", mlp),
      ...layerNorm("ln_final", "ln_f"),
    };
  },
});
