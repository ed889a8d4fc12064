/** T5: an encoder and a decoder with relative positions, RMSNorm, and attention without a scale or biases. */
import { ConfigError } from "../../tensor/errors.ts";
import { COUNT, FLAG, NOT_NEGATIVE_WHOLE, orNull, TEXT } from "../../tensor/kinds.ts";
import { shown } from "../../tensor/show.ts";
import { EPS, LARGEST_SIZE, LAYERS, SIZE } from "../config/bounds.ts";
import { activation } from "./activation-name.ts";
import { linear, matrices, type Sources, same, scaled } from "./checkpoint.ts";
import { type Fields, huggingFace } from "./hugging-face.ts";

const EMBEDDING = "shared.weight";
const UNEMBEDDING = "lm_head.weight";

export const t5 = huggingFace({
  name: "t5",
  called: "T5",
  architecture: "T5ForConditionalGeneration",
  embedding: EMBEDDING,
  unembedding: UNEMBEDDING,
  tied: true,
  fields: {
    model_type: TEXT,
    num_layers: LAYERS,
    num_decoder_layers: orNull(LAYERS),
    d_model: SIZE,
    d_kv: SIZE,
    d_ff: SIZE,
    num_heads: SIZE,
    vocab_size: SIZE,
    layer_norm_epsilon: EPS,
    feed_forward_proj: TEXT,
    dense_act_fn: TEXT,
    is_gated_act: FLAG,
    relative_attention_num_buckets: COUNT,
    relative_attention_max_distance: COUNT,
    n_positions: COUNT,
    decoder_start_token_id: orNull(NOT_NEGATIVE_WHOLE),
    pad_token_id: orNull(NOT_NEGATIVE_WHOLE),
    tie_word_embeddings: FLAG,
    scale_decoder_outputs: FLAG,
    is_encoder_decoder: FLAG,
    is_decoder: FLAG,
    output_past: FLAG,
  },
  config(json) {
    json.only("is_encoder_decoder", true);
    json.only("is_decoder", false);
    return {
      n_layers: json.need("num_layers"),
      n_decoder_layers: json.or("num_decoder_layers", json.need("num_layers")),
      d_model: json.need("d_model"),
      d_head: json.need("d_kv"),
      n_heads: json.need("num_heads"),
      d_mlp: json.need("d_ff"),
      d_vocab: json.need("vocab_size"),
      // Distances fall into buckets, so a text may be of any length.
      n_ctx: LARGEST_SIZE,
      ...mlp(json),
      eps: json.or("layer_norm_epsilon", 1e-6),
      normalization_type: "RMS",
      attention_dir: "bidirectional",
      use_attn_scale: false,
      positional_embedding_type: "relative_positional_bias",
      relative_attention_num_buckets: json.or("relative_attention_num_buckets", 32),
      relative_attention_max_distance: json.or("relative_attention_max_distance", 128),
      decoder_start_token_id: json.or("decoder_start_token_id", json.or("pad_token_id", 0)),
      // What TransformerLens means by it: the last stream is scaled, which is done to the unembedding here.
      tie_word_embeddings: json.or("scale_decoder_outputs", json.or("tie_word_embeddings", true)),
    };
  },
  sources(config, has) {
    return {
      ...stack("encoder", config.gatedMlp, ["SelfAttention"]),
      ...stack("decoder", config.gatedMlp, ["SelfAttention", "EncDecAttention"]),
      "unembed.W_U": scaled(
        linear(has(UNEMBEDDING) ? UNEMBEDDING : EMBEDDING),
        config.tieWordEmbeddings ? config.dModel ** -0.5 : 1,
      ),
    };
  },
  // Copies of the embedding, and a weight of the first code that nothing reads.
  buffers:
    /^(encoder|decoder)\.embed_tokens\.weight$|^decoder\.block\.0\.layer\.1\.EncDecAttention\.relative_attention_bias\.weight$/,
});

/** The MLP's fields of `feed_forward_proj`: a nonlinearity, or `gated-` and one. */
function mlp(json: Fields): Record<string, unknown> {
  const given = json.or<string>("feed_forward_proj", "relu");
  const [, gated, name] = /^(gated-)?([^-]+)$/.exec(given) ?? [];
  if (name === undefined) {
    throw new ConfigError(
      `feed_forward_proj = ${shown(given)} is not supported for a T5 model. Supported: a nonlinearity, or "gated-" and one.`,
      { asked: "feed_forward_proj", found: given },
    );
  }
  const act = given === "gated-gelu" ? "gelu_new" : name;
  json.only("dense_act_fn", act);
  json.only("is_gated_act", gated !== undefined);
  return { act_fn: activation("feed_forward_proj", act), gated_mlp: gated !== undefined };
}

/** Where the weights of the encoder's or the decoder's blocks are: attention of each kind, and then the MLP. */
function stack(name: "encoder" | "decoder", gated: boolean, attention: readonly string[]): Sources {
  const at = `${name}.block.{l}.layer`;
  const own = attention.map((kind, i) => {
    const part = `${at}.${i}.${kind}`;
    const projections = { Q: `${part}.q`, K: `${part}.k`, V: `${part}.v`, O: `${part}.o` };
    return {
      [`${name}.{l}.ln${i + 1}.w`]: same(`${at}.${i}.layer_norm.weight`),
      ...matrices(`${name}.{l}.${i === 0 ? "attn" : "cross_attn"}`, projections),
    };
  });
  const last = attention.length;
  const dense = `${at}.${last}.DenseReluDense`;
  const neurons = gated ? { gate: `${dense}.wi_0`, in: `${dense}.wi_1` } : { in: `${dense}.wi` };
  return {
    ...Object.assign({}, ...own),
    [`${name}.{l}.attn.rel_pos_bias.weight`]: same(`${at}.0.SelfAttention.relative_attention_bias.weight`),
    [`${name}.{l}.ln${last + 1}.w`]: same(`${at}.${last}.layer_norm.weight`),
    ...matrices(`${name}.{l}.mlp`, { ...neurons, out: `${dense}.wo` }),
    [`${name}_final_ln.w`]: same(`${name}.final_layer_norm.weight`),
  };
}
