/** Falcon: rotary or ALiBi positions; one head of keys and values for all, or for each group; attention and MLP side by side. */
import { ANYTHING, FLAG, oneOf, orNull } from "../../tensor/kinds.ts";
import { EPS, SIZE } from "../config/bounds.ts";
import { activation } from "./activation-name.ts";
import { inGroups, layerNorm, matrices, optionalBiases } from "./checkpoint.ts";
import { DECODER_FIELDS, type Fields, huggingFace } from "./hugging-face.ts";
import { rotary } from "./rope.ts";
import { publishedSlopes } from "./slopes.ts";

const {
  num_key_value_heads: _kv,
  head_dim: _head,
  intermediate_size: _mlp,
  hidden_act: _act,
  ...COMMON
} = DECODER_FIELDS;
const at = "h.{l}";

export const falcon = huggingFace({
  name: "falcon",
  called: "Falcon",
  architecture: "FalconForCausalLM",
  embedding: "word_embeddings.weight",
  prefix: "transformer.",
  unembedding: "lm_head.weight",
  tied: true,
  fields: {
    ...COMMON,
    num_kv_heads: orNull(SIZE),
    ffn_hidden_size: orNull(SIZE),
    activation: orNull(DECODER_FIELDS.hidden_act),
    layer_norm_epsilon: orNull(EPS),
    alibi: orNull(FLAG),
    multi_query: orNull(FLAG),
    new_decoder_architecture: orNull(FLAG),
    parallel_attn: orNull(FLAG),
    num_ln_in_parallel_attn: orNull(oneOf([1, 2])),
    bias: orNull(FLAG),
    apply_residual_connection_post_layernorm: orNull(FLAG),
    // `ffn_hidden_size` says it.
    ff_factor: ANYTHING,
  },
  config(json) {
    json.only("apply_residual_connection_post_layernorm", false);
    const isNew = json.or("new_decoder_architecture", false);
    if (isNew) json.only("parallel_attn", true);
    const [d_model, heads] = [json.need("hidden_size"), json.need("num_attention_heads")];
    const groups = groupsOf(json, heads);
    const n_ctx = json.or("max_position_embeddings", 2048);
    const d_head = d_model / heads;
    return {
      n_layers: json.need("num_hidden_layers"),
      d_model,
      n_heads: heads,
      n_key_value_heads: groups === heads ? null : groups,
      d_head,
      d_mlp: json.or("ffn_hidden_size", 4 * d_model),
      n_ctx,
      d_vocab: json.need("vocab_size"),
      act_fn: activation("activation", json.or("activation", "gelu")),
      eps: json.or("layer_norm_epsilon", 1e-5),
      normalization_type: "LN",
      parallel_attn_mlp: isNew || json.or("parallel_attn", true),
      ...(json.or("alibi", false)
        ? alibi(heads, d_head)
        : rotary(json, "Falcon", { share: 1, base: 10000, d_head, n_ctx })),
    };
  },
  sources({ nHeads, nKeyValueHeads, dHead, parallelAttnMlp }, has) {
    const dense = { O: `${at}.self_attention.dense` };
    const mlp = { in: `${at}.mlp.dense_h_to_4h`, out: `${at}.mlp.dense_4h_to_h` };
    const hasTwo = has("h.0.ln_attn.weight");
    const [ln1, ln2] = hasTwo ? ["ln_attn", "ln_mlp"] : ["input_layernorm", "post_attention_layernorm"];
    return {
      ...layerNorm("blocks.{l}.ln1", `${at}.${ln1}`),
      ...inGroups("blocks.{l}.attn", `${at}.self_attention.query_key_value`, nHeads, nKeyValueHeads ?? nHeads, dHead),
      ...matrices("blocks.{l}.attn", dense),
      ...optionalBiases("blocks.{l}.attn", dense),
      ...layerNorm("blocks.{l}.ln2", `${at}.${parallelAttnMlp && !hasTwo ? ln1 : ln2}`),
      ...matrices("blocks.{l}.mlp", mlp),
      ...optionalBiases("blocks.{l}.mlp", mlp),
      ...layerNorm("ln_final", "ln_f"),
    };
  },
});

/** How many heads of keys and values there are. */
function groupsOf(json: Fields, heads: number): number {
  if (json.or("new_decoder_architecture", false)) return json.or("num_kv_heads", heads);
  return json.or("multi_query", true) ? 1 : heads;
}

/** Scores are divided after ALiBi has been added to them. transformers rounds it to bfloat16, which is not done here. */
function alibi(heads: number, d_head: number): Readonly<Record<string, unknown>> {
  const slopes = publishedSlopes(heads).map((slope) => slope / Math.sqrt(d_head));
  return { positional_embedding_type: "alibi", alibi_slopes: slopes };
}
