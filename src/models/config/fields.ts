/**
 * One row per configuration field: its TransformerLens name, its possible values, its default, and, if only some of them
 * can be run, which. The compiler asks for a row when the interface gains a field.
 */
import {
  COUNT,
  FLAG,
  type Kind,
  listOf,
  NOT_NEGATIVE_WHOLE,
  NUMBER,
  oneOf,
  orNull,
  POSITIVE,
  TEXT,
  WHOLE,
} from "../../tensor/kinds.ts";
import { ACTIVATIONS } from "../parts/activation.ts";
import { ATTENTION_TYPES, QK_NORMS } from "../parts/attention.ts";
import { NORM_PLACEMENTS } from "../parts/block.ts";
import { MLP_TYPES } from "../parts/experts.ts";
import { NORMS } from "../parts/norm.ts";
import { POSITIONS } from "../parts/positions.ts";
import { INIT_MODES } from "../weights/init-modes.ts";
import { EPS, EXPERTS, FACTOR, LAYERS, SIZE } from "./bounds.ts";
import type { HookedTransformerConfig } from "./config.ts";

/** TransformerLens writes "compute it" as -1. */
const SIZE_OR_AUTO: Kind = {
  accepts: (v) => v === -1 || v === null || SIZE.accepts(v),
  describe: `${SIZE.describe}, or -1 to have it computed`,
};
const FACTOR_OR_AUTO: Kind = {
  accepts: (v) => v === -1 || FACTOR.accepts(v),
  describe: `${FACTOR.describe}, or -1 to have it computed`,
};

const FACTORS: Kind = listOf(FACTOR, "positive numbers");
const SIZE_OR_NONE: Kind = {
  accepts: (v) => v === 0 || SIZE.accepts(v),
  describe: `0, or ${SIZE.describe}`,
};

/** TransformerLens writes "none" as -1. */
const CAP: Kind = {
  accepts: (v) => (NUMBER.accepts(v) && (v as number) <= 0) || FACTOR.accepts(v),
  describe: `${FACTOR.describe}, or -1 for none`,
};

/** A field's row. */
export interface Field<T = unknown> {
  /** Its name in TransformerLens' dictionary. */
  readonly snake: string;
  readonly kind: Kind;
  /** Its default; undefined if it is required. */
  readonly byDefault: T | undefined;
  /** Whether TransformerLens has no such field. */
  readonly own?: true;
  /** The values that can be run, if those are fewer than the field can hold. */
  readonly supported?: { readonly test: (value: T) => boolean; readonly describe: string };
}

function required<T>(snake: string, kind: Kind): Field<T> {
  return { snake, kind, byDefault: undefined };
}

function field<T>(snake: string, kind: Kind, byDefault: T): Field<T> {
  return { snake, kind, byDefault };
}

/** A field of our own, whose default changes nothing. */
function own<T>(snake: string, kind: Kind, byDefault: T): Field<T> {
  return { snake, kind, byDefault, own: true };
}

function onlyOff(snake: string): Field<boolean> {
  return { snake, kind: FLAG, byDefault: false, supported: { test: (v) => !v, describe: "false" } };
}

export const FIELDS: { readonly [K in keyof HookedTransformerConfig]: Field<HookedTransformerConfig[K]> } = {
  nLayers: required("n_layers", LAYERS),
  dModel: required("d_model", SIZE),
  nCtx: required("n_ctx", SIZE),
  dHead: required("d_head", SIZE),
  nHeads: field("n_heads", SIZE_OR_AUTO, -1),
  dMlp: field("d_mlp", SIZE_OR_AUTO, null as number | null),
  actFn: field("act_fn", orNull(oneOf(ACTIVATIONS)), null as HookedTransformerConfig["actFn"]),
  dVocab: required("d_vocab", SIZE),
  dVocabOut: field("d_vocab_out", SIZE_OR_AUTO, -1),
  eps: field("eps", EPS, 1e-5),
  modelName: field("model_name", TEXT, "custom"),

  attnScale: field("attn_scale", FACTOR_OR_AUTO, -1),
  useAttnScale: field("use_attn_scale", FLAG, true),
  scaleAttnByInverseLayerIdx: field("scale_attn_by_inverse_layer_idx", FLAG, false),
  attentionDir: field(
    "attention_dir",
    oneOf(["causal", "bidirectional"]),
    "causal" as HookedTransformerConfig["attentionDir"],
  ),
  attnOnly: field("attn_only", FLAG, false),
  normalizationType: field(
    "normalization_type",
    orNull(oneOf(Object.keys(NORMS))),
    "LN" as HookedTransformerConfig["normalizationType"],
  ),
  finalRms: field("final_rms", FLAG, false),
  postEmbeddingLn: field("post_embedding_ln", FLAG, false),
  positionalEmbeddingType: field(
    "positional_embedding_type",
    oneOf(Object.keys(POSITIONS)),
    "standard" as HookedTransformerConfig["positionalEmbeddingType"],
  ),

  relativeAttentionNumBuckets: field("relative_attention_num_buckets", orNull(COUNT), null as number | null),
  relativeAttentionMaxDistance: field("relative_attention_max_distance", orNull(COUNT), null as number | null),
  decoderStartTokenId: field("decoder_start_token_id", orNull(NOT_NEGATIVE_WHOLE), null as number | null),
  parallelAttnMlp: field("parallel_attn_mlp", FLAG, false),
  gatedMlp: field("gated_mlp", FLAG, false),
  // Checked against n_heads, n_layers and d_head once they are known.
  nKeyValueHeads: field("n_key_value_heads", orNull(COUNT), null as number | null),
  // Checked against each other.
  numExperts: field("num_experts", orNull(EXPERTS), null as number | null),
  expertsPerToken: field("experts_per_token", orNull(EXPERTS), null as number | null),
  useLocalAttn: field("use_local_attn", FLAG, false),
  windowSize: field("window_size", orNull(COUNT), null as number | null),
  attnTypes: field(
    "attn_types",
    orNull(listOf(oneOf(ATTENTION_TYPES), "names")),
    null as HookedTransformerConfig["attnTypes"],
  ),
  useQkNorm: field("use_qk_norm", FLAG, false),
  rotaryDim: field("rotary_dim", orNull(COUNT), null as number | null),
  rotaryBase: field("rotary_base", POSITIVE, 10000),
  rotaryBaseLocal: field("rotary_base_local", orNull(POSITIVE), null as number | null),
  rotaryAdjacentPairs: field("rotary_adjacent_pairs", FLAG, false),

  useNormalizationBeforeAndAfter: field("use_normalization_before_and_after", FLAG, false),
  attnScoresSoftCap: field("attn_scores_soft_cap", CAP, -1),
  outputLogitsSoftCap: field("output_logits_soft_cap", CAP, -1),

  // Of our own.
  normPlacement: own("norm_placement", oneOf(NORM_PLACEMENTS), "before" as HookedTransformerConfig["normPlacement"]),
  qkvClip: own("qkv_clip", orNull(FACTOR), null as number | null),
  normBias: own("norm_bias", FLAG, true),
  gatedMlpBiases: own("gated_mlp_biases", FLAG, false),
  qkNormType: own("qk_norm_type", oneOf(Object.keys(QK_NORMS)), "RMS" as HookedTransformerConfig["qkNormType"]),
  rotaryStretch: own("rotary_stretch", orNull(FACTORS), null as readonly number[] | null),
  rotaryStretchLong: own("rotary_stretch_long", orNull(FACTORS), null as readonly number[] | null),
  rotaryMagnitude: own("rotary_magnitude", FACTOR, 1),
  rotaryLayers: own("rotary_layers", orNull(listOf(FLAG, "flags")), null as readonly boolean[] | null),
  nTokenTypes: own("n_token_types", SIZE_OR_NONE, 0),
  normAfterEmbeddings: own("norm_after_embeddings", FLAG, false),
  nDecoderLayers: own("n_decoder_layers", orNull(LAYERS), null as number | null),
  mlmHead: own("mlm_head", FLAG, false),
  attentionSinks: own("attention_sinks", FLAG, false),
  mlpTypes: own("mlp_types", orNull(listOf(oneOf(MLP_TYPES), "names")), null as HookedTransformerConfig["mlpTypes"]),
  expertDMlp: own("expert_d_mlp", orNull(SIZE), null as number | null),
  sharedExpertDMlp: own("shared_expert_d_mlp", orNull(SIZE), null as number | null),
  normTopkProb: own("norm_topk_prob", FLAG, true),
  softmaxAfterTopk: own("softmax_after_topk", FLAG, false),
  expertBiases: own("expert_biases", FLAG, false),
  expertLimit: own("expert_limit", orNull(FACTOR), null as number | null),
  alibiSlopes: own("alibi_slopes", orNull(FACTORS), null as readonly number[] | null),

  tokenizerName: field("tokenizer_name", orNull(TEXT), null as string | null),
  defaultPrependBos: field("default_prepend_bos", FLAG, true),
  tokenizerPrependsBos: field("tokenizer_prepends_bos", orNull(FLAG), null as boolean | null),
  originalArchitecture: field("original_architecture", orNull(TEXT), null as string | null),
  fromCheckpoint: field("from_checkpoint", FLAG, false),
  checkpointIndex: field("checkpoint_index", orNull(WHOLE), null as number | null),
  checkpointLabelType: field(
    "checkpoint_label_type",
    orNull(oneOf(["token", "step"])),
    null as HookedTransformerConfig["checkpointLabelType"],
  ),
  checkpointValue: field("checkpoint_value", orNull(WHOLE), null as number | null),

  seed: field("seed", orNull(WHOLE), null as number | null),
  initMode: field("init_mode", oneOf(INIT_MODES), "gpt2" as HookedTransformerConfig["initMode"]),
  initializerRange: field("initializer_range", FACTOR_OR_AUTO, -1),
  nParams: field("n_params", orNull(WHOLE), -1),
  dtype: {
    snake: "dtype",
    kind: TEXT,
    byDefault: "float32",
    supported: { test: (v) => v === "float32", describe: '"float32"' },
  },

  useAttnResult: field("use_attn_result", FLAG, false),
  useSplitQkvInput: field("use_split_qkv_input", FLAG, false),
  useHookMlpIn: field("use_hook_mlp_in", FLAG, false),
  useAttnIn: field("use_attn_in", FLAG, false),
  useHookTokens: field("use_hook_tokens", FLAG, false),
  ungroupGroupedQueryAttention: field("ungroup_grouped_query_attention", FLAG, false),
  initWeights: field("init_weights", FLAG, true),
  device: field("device", orNull(TEXT), null as string | null),
  nDevices: field("n_devices", COUNT, 1),
  trustRemoteCode: field("trust_remote_code", FLAG, false),
  tieWordEmbeddings: field("tie_word_embeddings", FLAG, false),
  useNtkByPartsRope: field("use_NTK_by_parts_rope", FLAG, false),
  ntkByPartsLowFreqFactor: field("NTK_by_parts_low_freq_factor", POSITIVE, 1),
  ntkByPartsHighFreqFactor: field("NTK_by_parts_high_freq_factor", POSITIVE, 4),
  ntkByPartsFactor: field("NTK_by_parts_factor", POSITIVE, 8),
  ntkOriginalCtxLen: field("NTK_original_ctx_len", COUNT, 8192),

  loadIn4bit: onlyOff("load_in_4bit"),
};

export const FIELD_NAMES = Object.keys(FIELDS) as (keyof HookedTransformerConfig)[];
