/**
 * OPT: learned positions and ReLU. OPT-350m's norms stand after each addition to the residual stream, and its embedding is narrower
 * than that: projections from and to it are multiplied into the embedding and the unembedding when they are read.
 */
import { FLAG, orNull, TEXT } from "../../tensor/kinds.ts";
import { LAYERS, SIZE } from "../config/bounds.ts";
import { activation } from "./activation-name.ts";
import { layerNorm, matrices, optionalBiases, projectionsOf, rowsFrom } from "./checkpoint.ts";
import { huggingFace } from "./hugging-face.ts";
import { narrowed, widened } from "./several.ts";

const [EMBEDDING, UNEMBEDDING] = ["decoder.embed_tokens.weight", "lm_head.weight"];
const at = "decoder.layers.{l}";

/** The rows before those of the first position, from when padding had one. */
const BEFORE_POSITIONS = 2;

export const opt = huggingFace({
  name: "opt",
  called: "OPT",
  architecture: "OPTForCausalLM",
  embedding: EMBEDDING,
  prefix: "model.",
  unembedding: UNEMBEDDING,
  tied: true,
  fields: {
    model_type: TEXT,
    num_hidden_layers: LAYERS,
    hidden_size: SIZE,
    num_attention_heads: SIZE,
    ffn_dim: SIZE,
    max_position_embeddings: SIZE,
    vocab_size: SIZE,
    activation_function: TEXT,
    do_layer_norm_before: FLAG,
    layer_norm_elementwise_affine: FLAG,
    _remove_final_layer_norm: FLAG,
    enable_bias: FLAG,
    word_embed_proj_dim: orNull(SIZE),
    tie_word_embeddings: FLAG,
    learned_embeddings: FLAG,
    scale_embeddings: FLAG,
    output_projection: FLAG,
  },
  config(json) {
    const [d_model, heads] = [json.need("hidden_size"), json.need("num_attention_heads")];
    json.only("_remove_final_layer_norm", false);
    json.only("learned_embeddings", true);
    json.only("scale_embeddings", false);
    return {
      n_layers: json.need("num_hidden_layers"),
      d_model,
      n_heads: heads,
      d_head: d_model / heads,
      d_mlp: json.need("ffn_dim"),
      n_ctx: json.need("max_position_embeddings"),
      d_vocab: json.need("vocab_size"),
      act_fn: activation("activation_function", json.or("activation_function", "relu")),
      eps: 1e-5,
      normalization_type: json.or("layer_norm_elementwise_affine", true) ? "LN" : "LNPre",
      norm_placement: json.or("do_layer_norm_before", true) ? "before" : "after",
    };
  },
  sources({ dModel, tieWordEmbeddings }, has, json) {
    const narrow = json.or("word_embed_proj_dim", dModel);
    const unembedding = tieWordEmbeddings && !has(UNEMBEDDING) ? EMBEDDING : UNEMBEDDING;
    const projections = projectionsOf(`${at}.self_attn`, "out_proj");
    const mlp = { in: `${at}.fc1`, out: `${at}.fc2` };
    return {
      ...(narrow !== dModel && {
        "embed.W_E": widened(EMBEDDING, "decoder.project_in.weight", narrow),
        "unembed.W_U": narrowed("decoder.project_out.weight", unembedding, narrow),
      }),
      "pos_embed.W_pos": rowsFrom("decoder.embed_positions.weight", BEFORE_POSITIONS),
      ...layerNorm("blocks.{l}.ln1", `${at}.self_attn_layer_norm`),
      ...matrices("blocks.{l}.attn", projections),
      ...optionalBiases("blocks.{l}.attn", projections),
      ...layerNorm("blocks.{l}.ln2", `${at}.final_layer_norm`),
      ...matrices("blocks.{l}.mlp", mlp),
      ...optionalBiases("blocks.{l}.mlp", mlp),
      ...layerNorm("ln_final", "decoder.final_layer_norm"),
    };
  },
});
