/** XGLM: sinusoidal positions, and embeddings that are multiplied with the square root of the width. */
import { type NDArray, zeros } from "../../tensor/array.ts";
import { ConfigError } from "../../tensor/errors.ts";
import { FLAG, TEXT, WHOLE } from "../../tensor/kinds.ts";
import { LAYERS, SIZE } from "../config/bounds.ts";
import { activation } from "./activation-name.ts";
import { biases, computed, layerNorm, matrices, projectionsOf } from "./checkpoint.ts";
import { type Fields, huggingFace } from "./hugging-face.ts";

const at = "layers.{l}";

export const xglm = huggingFace({
  name: "xglm",
  called: "XGLM",
  architecture: "XGLMForCausalLM",
  embedding: "embed_tokens.weight",
  prefix: "model.",
  unembedding: "lm_head.weight",
  tied: true,
  fields: {
    model_type: TEXT,
    num_layers: LAYERS,
    num_hidden_layers: LAYERS,
    d_model: SIZE,
    hidden_size: SIZE,
    attention_heads: SIZE,
    num_attention_heads: SIZE,
    ffn_dim: SIZE,
    max_position_embeddings: SIZE,
    vocab_size: SIZE,
    activation_function: TEXT,
    scale_embedding: FLAG,
    pad_token_id: WHOLE,
    tie_word_embeddings: FLAG,
  },
  config(json) {
    const [d_model, heads] = [widthOf(json), json.or("attention_heads", json.or("num_attention_heads", 16))];
    const padding = json.or("pad_token_id", 1);
    if (padding >= BEFORE_POSITIONS) {
      throw new ConfigError(
        `pad_token_id = ${padding} is not supported for an XGLM model: the row of its number has no position, so that it must be less than ${BEFORE_POSITIONS}.`,
        { asked: "pad_token_id", found: padding },
      );
    }
    return {
      n_layers: json.or("num_layers", json.or("num_hidden_layers", 24)),
      d_model,
      n_heads: heads,
      d_head: d_model / heads,
      d_mlp: json.or("ffn_dim", 4096),
      n_ctx: json.or("max_position_embeddings", 2048),
      d_vocab: json.need("vocab_size"),
      act_fn: activation("activation_function", json.or("activation_function", "gelu")),
      eps: 1e-5,
      normalization_type: "LN",
    };
  },
  scales: (json) => (json.or("scale_embedding", true) ? { embedding: Math.sqrt(widthOf(json)) } : {}),
  sources() {
    const projections = projectionsOf(`${at}.self_attn`, "out_proj");
    const mlp = { in: `${at}.fc1`, out: `${at}.fc2` };
    return {
      "pos_embed.W_pos": computed(({ shape: [pos, width] }) => sinusoids(pos, width)),
      ...layerNorm("blocks.{l}.ln1", `${at}.self_attn_layer_norm`),
      ...matrices("blocks.{l}.attn", projections),
      ...biases("blocks.{l}.attn", projections),
      ...layerNorm("blocks.{l}.ln2", `${at}.final_layer_norm`),
      ...matrices("blocks.{l}.mlp", mlp),
      ...biases("blocks.{l}.mlp", mlp),
      ...layerNorm("ln_final", "layer_norm"),
    };
  },
  buffers: /(^|\.)embed_positions\.weights$/,
});

function widthOf(json: Fields): number {
  return json.or("d_model", json.or("hidden_size", 1024));
}

/** The rows before that of the first position, from when padding had one. */
const BEFORE_POSITIONS = 2;

/**
 * `sin((pos + 2) f_i)` for i of 0 … width/2 - 1, then the cosines, with `f_i = 10000^(-i / (width/2 - 1))`, [pos width].
 * Source: transformers' `XGLMSinusoidalPositionalEmbedding`, in float32 like it.
 */
function sinusoids(positions: number, width: number): NDArray<"float32"> {
  const out = zeros("float32", [positions, width]);
  const half = Math.floor(width / 2);
  const step = Math.log(10000) / (half - 1);
  for (let i = 0; i < half; i++) {
    const frequency = Math.fround(Math.exp(-Math.fround(i * step)));
    for (let pos = 0; pos < positions; pos++) {
      const angle = Math.fround((pos + BEFORE_POSITIONS) * frequency);
      out.data[pos * width + i] = Math.sin(angle);
      out.data[pos * width + half + i] = Math.cos(angle);
    }
  }
  return out;
}
