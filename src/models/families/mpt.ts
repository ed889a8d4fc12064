/** MPT: ALiBi positions, and no biases anywhere. */
import { ConfigError } from "../../tensor/errors.ts";
import { ANYTHING, FLAG, OBJECT, orNull, POSITIVE, TEXT } from "../../tensor/kinds.ts";
import { shown } from "../../tensor/show.ts";
import { EPS, FACTOR, LAYERS, SIZE } from "../config/bounds.ts";
import { linear, matrices, same, sideBySide } from "./checkpoint.ts";
import type { ConfigJson } from "./family.ts";
import { huggingFace } from "./hugging-face.ts";
import { checkKinds, type FieldKinds, type Fields, refuseUnknownFields } from "./read-fields.ts";
import { publishedSlopes } from "./slopes.ts";

const at = "blocks.{l}";

export const mpt = huggingFace({
  name: "mpt",
  called: "MPT",
  architecture: "MptForCausalLM",
  embedding: "wte.weight",
  prefix: "transformer.",
  unembedding: "lm_head.weight",
  tied: true,
  fields: {
    model_type: TEXT,
    n_layers: LAYERS,
    d_model: SIZE,
    n_heads: SIZE,
    expansion_ratio: SIZE,
    max_seq_len: SIZE,
    vocab_size: SIZE,
    layer_norm_epsilon: EPS,
    attn_config: orNull(OBJECT),
    logit_scale: ANYTHING,
    no_bias: FLAG,
    learned_pos_emb: FLAG,
    norm_type: TEXT,
    tie_word_embeddings: FLAG,
    // How it was trained.
    ...{ embedding_fraction: ANYTHING, init_device: ANYTHING, init_config: ANYTHING, verbose: ANYTHING },
    tokenizer_name: TEXT,
  },
  config(json) {
    json.only("no_bias", true);
    json.only("logit_scale", null);
    json.only("expansion_ratio", 4);
    json.only("norm_type", "low_precision_layernorm", "layernorm");
    const [d_model, heads] = [json.need("d_model"), json.need("n_heads")];
    const { scale, clip } = attention(json);
    return {
      n_layers: json.need("n_layers"),
      d_model,
      n_heads: heads,
      d_head: d_model / heads,
      d_mlp: 4 * d_model,
      n_ctx: json.or("max_seq_len", 2048),
      d_vocab: json.need("vocab_size"),
      act_fn: "gelu",
      eps: json.or("layer_norm_epsilon", 1e-5),
      normalization_type: "LN",
      positional_embedding_type: "alibi",
      alibi_slopes: publishedSlopes(heads),
      ...(scale !== null && { attn_scale: 1 / scale }),
      qkv_clip: clip,
    };
  },
  sources({ nHeads, dHead }) {
    return {
      "blocks.{l}.ln1.w": same(`${at}.norm_1.weight`),
      ...sideBySide("blocks.{l}.attn", `${at}.attn.Wqkv`, nHeads, nHeads, dHead),
      "blocks.{l}.attn.W_O": linear(`${at}.attn.out_proj.weight`),
      "blocks.{l}.ln2.w": same(`${at}.norm_2.weight`),
      ...matrices("blocks.{l}.mlp", { in: `${at}.ffn.up_proj`, out: `${at}.ffn.down_proj` }),
      "ln_final.w": same("norm_f.weight"),
    };
  },
});

const ATTENTION_FIELDS: FieldKinds = {
  alibi: FLAG,
  alibi_bias_max: SIZE,
  attn_type: TEXT,
  clip_qkv: orNull(FACTOR),
  prefix_lm: FLAG,
  qk_ln: FLAG,
  softmax_scale: orNull(POSITIVE),
  attn_uses_sequence_id: FLAG,
  // How it is computed.
  ...{ attn_impl: ANYTHING, attn_pdrop: ANYTHING, model_type: ANYTHING },
};

/** The attention that is computed. */
const COMPUTED: ConfigJson = {
  alibi: true,
  alibi_bias_max: 8,
  attn_type: "multihead_attention",
  prefix_lm: false,
  qk_ln: false,
  attn_uses_sequence_id: false,
};

/** What scores are multiplied with, and the clip; null where the file does not say. @throws ConfigError for attention of another kind */
function attention(json: Fields): Readonly<Record<"scale" | "clip", number | null>> {
  const of = json.or<ConfigJson>("attn_config", {});
  checkKinds(of, "an MPT model's attn_config", ATTENTION_FIELDS);
  refuseUnknownFields(of, "an MPT model's attn_config", ATTENTION_FIELDS, new Set());
  for (const [name, value] of Object.entries(COMPUTED)) {
    const found = of[name] ?? value;
    if (found === value) continue;
    throw new ConfigError(
      `${name} = ${shown(found)} is not supported in an MPT model's attn_config. Supported: ${shown(value)}.`,
      { asked: name, found },
    );
  }
  const given = (name: string) => (of[name] as number | null | undefined) ?? null;
  return { scale: given("softmax_scale"), clip: given("clip_qkv") };
}
