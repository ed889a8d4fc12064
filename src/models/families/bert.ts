/** BERT: an encoder that fills in masked tokens, with learned positions, token types, and norms after each addition. */
import { ANYTHING, FLAG, oneOf, TEXT } from "../../tensor/kinds.ts";
import { EPS, LAYERS, SIZE } from "../config/bounds.ts";
import { activation } from "./activation-name.ts";
import { biases, layerNorm, linear, matrices, type Source, type Sources, same } from "./checkpoint.ts";
import { huggingFace } from "./hugging-face.ts";

const EMBEDDING = "bert.embeddings.word_embeddings.weight";
const at = "bert.encoder.layer.{l}";
const head = "cls.predictions.transform";

export const bert = huggingFace({
  name: "bert",
  called: "BERT",
  architecture: "BertForMaskedLM",
  embedding: EMBEDDING,
  unembedding: "cls.predictions.decoder.weight",
  tied: true,
  fields: {
    model_type: TEXT,
    num_hidden_layers: LAYERS,
    hidden_size: SIZE,
    num_attention_heads: SIZE,
    intermediate_size: SIZE,
    hidden_act: TEXT,
    max_position_embeddings: SIZE,
    position_embedding_type: TEXT,
    type_vocab_size: SIZE,
    vocab_size: SIZE,
    layer_norm_eps: EPS,
    tie_word_embeddings: FLAG,
    is_decoder: FLAG,
    directionality: oneOf(["bidi"]),
    // Sizes of the pooler as the first code had it.
    ...{ pooler_fc_size: ANYTHING, pooler_num_attention_heads: ANYTHING, pooler_num_fc_layers: ANYTHING },
    ...{ pooler_size_per_head: ANYTHING, pooler_type: ANYTHING },
  },
  config(json) {
    json.only("is_decoder", false);
    json.only("position_embedding_type", "absolute");
    const [d_model, heads] = [json.need("hidden_size"), json.need("num_attention_heads")];
    return {
      n_layers: json.need("num_hidden_layers"),
      d_model,
      n_heads: heads,
      d_head: d_model / heads,
      d_mlp: json.need("intermediate_size"),
      n_ctx: json.need("max_position_embeddings"),
      d_vocab: json.need("vocab_size"),
      n_token_types: json.or("type_vocab_size", 2),
      act_fn: activation("hidden_act", json.or("hidden_act", "gelu")),
      eps: json.or("layer_norm_eps", 1e-12),
      normalization_type: "LN",
      norm_placement: "after",
      norm_after_embeddings: true,
      attention_dir: "bidirectional",
      mlm_head: true,
    };
  },
  sources(_config, has) {
    const self = `${at}.attention.self`;
    const projections = {
      ...{ Q: `${self}.query`, K: `${self}.key`, V: `${self}.value` },
      O: `${at}.attention.output.dense`,
    };
    const mlp = { in: `${at}.intermediate.dense`, out: `${at}.output.dense` };
    const sources = {
      "embed.embed.W_E": same(EMBEDDING),
      "embed.pos_embed.W_pos": same("bert.embeddings.position_embeddings.weight"),
      "embed.token_type_embed.W_token_type": same("bert.embeddings.token_type_embeddings.weight"),
      ...layerNorm("embed.ln", "bert.embeddings.LayerNorm"),
      ...matrices("blocks.{l}.attn", projections),
      ...biases("blocks.{l}.attn", projections),
      ...layerNorm("blocks.{l}.ln1", `${at}.attention.output.LayerNorm`),
      ...matrices("blocks.{l}.mlp", mlp),
      ...biases("blocks.{l}.mlp", mlp),
      ...layerNorm("blocks.{l}.ln2", `${at}.output.LayerNorm`),
      "mlm_head.W": linear(`${head}.dense.weight`),
      "mlm_head.b": same(`${head}.dense.bias`),
      ...layerNorm("mlm_head.ln", `${head}.LayerNorm`),
      "unembed.b_U": same("cls.predictions.bias"),
    };
    return has("bert.embeddings.LayerNorm.gamma") ? underFirstNames(sources) : sources;
  },
  // The unembedding's bias is stored twice.
  buffers: /^(bert\.embeddings\.position_ids|cls\.predictions\.decoder\.bias)$/,
  leftOut: {
    names: /^(bert\.pooler|cls\.seq_relationship)\./,
    what: "The head that says whether one sentence follows another (pooler and seq_relationship)",
  },
});

/** TensorFlow's names of a norm's weight and bias, which the first checkpoints have. */
function underFirstNames(sources: Sources<Source>): Sources {
  const first = (name: string) =>
    name.replace(/\.LayerNorm\.(weight|bias)$/, (_, kind) => `.LayerNorm.${kind === "weight" ? "gamma" : "beta"}`);
  return Object.fromEntries(Object.entries(sources).map(([ours, one]) => [ours, { ...one, name: first(one.name) }]));
}
