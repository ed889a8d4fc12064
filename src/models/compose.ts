/** From a configuration to the parts that it is made of. Nothing else reads the fields that say which parts those are. */
import type { HookedTransformerConfig } from "./config/config.ts";
import type { FixedActivation } from "./parts/activation.ts";
import { type AlibiKind, alibiSlopes } from "./parts/alibi.ts";
import { type AttentionKind, QK_NORMS } from "./parts/attention.ts";
import type { BlockKind } from "./parts/block.ts";
import type { EmbeddingKind } from "./parts/embedding.ts";
import { type ExpertsKind, experts } from "./parts/experts.ts";
import type { MlmHeadKind } from "./parts/mlm-head.ts";
import { gatedMlp, type MlpKind, plainMlp } from "./parts/mlp.ts";
import { NORMS, type NormalizationType, type NormKind } from "./parts/norm.ts";
import { POSITIONS, type PositionsKind } from "./parts/positions.ts";
import type { RelativeKind } from "./parts/relative-positions.ts";
import type { RotaryKind } from "./parts/rotary.ts";
import { ntkByParts } from "./parts/stretch.ts";

/** A transformer as its parts. */
export interface Composition {
  readonly embedding: EmbeddingKind;
  readonly d_vocab_out: number;
  readonly positions: PositionsKind;
  /** How many token types there are; 0: none are embedded. */
  readonly tokenTypes: number;
  /** Of the sum of all embeddings, before the first block. */
  readonly embeddingsNorm: NormKind | null;
  /** Whether a query sees no later keys. */
  readonly causal: boolean;
  readonly blocks: readonly BlockKind[];
  /** Before the unembedding; null without norms, and where the last block ends in one. */
  readonly finalNorm: NormKind | null;
  /** Before the unembedding of a model that fills in masked tokens; null in one that predicts the next. */
  readonly mlmHead: MlmHeadKind | null;
  /** What logits are softly held below; null: nothing. */
  readonly logitsCap: number | null;
  /** In an encoder-decoder: the decoder; the other blocks and the norm after them are then the encoder's. */
  readonly decoder: DecoderKind | null;
}

/** What an encoder-decoder has besides its encoder. */
export interface DecoderKind {
  readonly blocks: readonly BlockKind[];
  /** The relative positions of the encoder's blocks, and of the decoder's. */
  readonly encoderPositions: RelativeKind;
  readonly positions: RelativeKind;
}

const compositions = new WeakMap<HookedTransformerConfig, Composition>();

/** The parts of a configuration; the same ones whenever it is the same object. */
export function compose(cfg: HookedTransformerConfig): Composition {
  const known = compositions.get(cfg) ?? composed(cfg);
  compositions.set(cfg, known);
  return known;
}

/** The names of all blocks: `blocks.0`, or those of the encoder and then of the decoder. */
export function blockNames(cfg: HookedTransformerConfig): string[] {
  const { blocks, decoder } = compose(cfg);
  const named = (stack: string, count: number) => Array.from({ length: count }, (_, layer) => `${stack}.${layer}`);
  if (!decoder) return named("blocks", blocks.length);
  return [...named("encoder", blocks.length), ...named("decoder", decoder.blocks.length)];
}

function composed(cfg: HookedTransformerConfig): Composition {
  const positions = attentionPositionsOf(cfg);
  return {
    embedding: { d_vocab: cfg.dVocab, d_model: cfg.dModel, norm: cfg.postEmbeddingLn ? normKind("LN", cfg) : null },
    d_vocab_out: cfg.dVocabOut,
    positions: POSITIONS[cfg.positionalEmbeddingType](cfg),
    tokenTypes: cfg.nTokenTypes,
    embeddingsNorm: cfg.normAfterEmbeddings ? normKind(cfg.normalizationType, cfg) : null,
    causal: cfg.attentionDir === "causal",
    blocks: Array.from({ length: cfg.nLayers }, (_, layer) => blockOf(cfg, layer, positions(layer))),
    finalNorm: finalNormOf(cfg),
    decoder: decoderOf(cfg),
    mlmHead: cfg.mlmHead ? { act: cfg.actFn!, norm: normKind(cfg.normalizationType, cfg) } : null,
    logitsCap: cfg.outputLogitsSoftCap > 0 ? cfg.outputLogitsSoftCap : null,
  };
}

function blockOf(cfg: HookedTransformerConfig, layer: number, positions: AttentionPositions): BlockKind {
  const { dModel: d_model, dHead: d_head, nHeads: heads } = cfg;
  return {
    norm: cfg.normPlacement === "output" ? null : normKind(cfg.normalizationType, cfg),
    normPlacement: cfg.normPlacement === "after" ? "after" : "before",
    outputNorm: outputNormOf(cfg),
    attention: {
      ...{ d_model, d_head, heads, keyValueHeads: cfg.nKeyValueHeads ?? heads },
      divisor: (cfg.useAttnScale ? cfg.attnScale : 1) * (cfg.scaleAttnByInverseLayerIdx ? layer + 1 : 1),
      window: isLocal(cfg, layer) ? cfg.windowSize : null,
      scoresCap: cfg.attnScoresSoftCap > 0 ? cfg.attnScoresSoftCap : null,
      sinks: cfg.attentionSinks,
      clip: cfg.qkvClip,
      qkNorm: cfg.useQkNorm ? { ...QK_NORMS[cfg.qkNormType], eps: cfg.eps } : null,
      ...positions,
    },
    mlp: mlpOf(cfg, layer),
    order: cfg.parallelAttnMlp ? "parallel" : "sequential",
  };
}

function decoderOf(cfg: HookedTransformerConfig): DecoderKind | null {
  if (cfg.nDecoderLayers === null) return null;
  const relative = (bothWays: boolean): RelativeKind => ({
    buckets: cfg.relativeAttentionNumBuckets!,
    maxDistance: cfg.relativeAttentionMaxDistance!,
    ...{ bothWays, heads: cfg.nHeads },
  });
  const blocks = Array.from({ length: cfg.nDecoderLayers }, (_, layer): BlockKind => {
    const block = blockOf(cfg, layer, { rotary: null, alibi: null });
    return { ...block, crossAttention: block.attention };
  });
  return { blocks, encoderPositions: relative(true), positions: relative(false) };
}

function isLocal({ useLocalAttn, attnTypes }: HookedTransformerConfig, layer: number): boolean {
  return useLocalAttn && attnTypes?.[layer] === "local";
}

/** What attention makes of positions. */
type AttentionPositions = Pick<AttentionKind, "rotary" | "alibi">;

function attentionPositionsOf(cfg: HookedTransformerConfig): (layer: number) => AttentionPositions {
  const rotary = rotaryOf(cfg);
  const alibi: AlibiKind | null =
    cfg.positionalEmbeddingType === "alibi" ? { slopes: cfg.alibiSlopes ?? alibiSlopes(cfg.nHeads) } : null;
  return (layer) => ({ rotary: rotary(layer), alibi });
}

/** What turns queries and keys, layer by layer; the same object wherever it is the same, because its numbers belong to it. */
function rotaryOf(cfg: HookedTransformerConfig): (layer: number) => RotaryKind | null {
  if (cfg.positionalEmbeddingType !== "rotary") return () => null;
  const dim = cfg.rotaryDim ?? cfg.dHead;
  const plain: RotaryKind = {
    dim,
    base: cfg.rotaryBase,
    pairs: cfg.rotaryAdjacentPairs ? "neighbours" : "halves",
    stretch: null,
    long: null,
    magnitude: 1,
  };
  const { rotaryStretch: stretch, rotaryStretchLong: long, ntkOriginalCtxLen: above } = cfg;
  const global: RotaryKind = {
    ...plain,
    stretch: cfg.useNtkByPartsRope ? ntkByParts(dim, cfg) : stretch && ((pair) => stretch[pair]),
    long: long && { stretch: (pair) => long[pair], above },
    magnitude: cfg.rotaryMagnitude,
  };
  const local = cfg.rotaryBaseLocal === null ? global : { ...plain, base: cfg.rotaryBaseLocal };
  return (layer) => {
    if (cfg.rotaryLayers?.[layer] === false) return null;
    return isLocal(cfg, layer) ? local : global;
  };
}

function mlpOf(cfg: HookedTransformerConfig, layer: number): BlockKind["mlp"] {
  if (cfg.attnOnly) return null;
  if (cfg.numExperts !== null && cfg.mlpTypes?.[layer] !== "dense") return expertsOf(cfg, cfg.numExperts);
  const act = cfg.actFn!;
  // As in TransformerLens: a LayerNorm whatever the blocks' norms are, with weights where those are full LayerNorms.
  const inner = act.endsWith("_ln") ? normKind(cfg.normalizationType === "LN" ? "LN" : "LNPre", cfg) : null;
  const kind: MlpKind = {
    ...{ d_model: cfg.dModel, d_mlp: cfg.dMlp!, act },
    innerNorm: inner,
    gateBiases: cfg.gatedMlpBiases,
  };
  const mlp = cfg.gatedMlp ? gatedMlp : plainMlp;
  return (x, scope) => mlp(kind, x, scope);
}

function expertsOf(cfg: HookedTransformerConfig, count: number): BlockKind["mlp"] {
  const kind: ExpertsKind = {
    d_model: cfg.dModel,
    d_mlp: cfg.expertDMlp ?? cfg.dMlp!,
    act: cfg.actFn as FixedActivation,
    experts: count,
    perToken: cfg.expertsPerToken!,
    softmax: cfg.softmaxAfterTopk ? "chosen" : "all",
    normalized: cfg.normTopkProb,
    biases: cfg.expertBiases,
    limit: cfg.expertLimit,
    shared: cfg.sharedExpertDMlp,
  };
  return (x, scope) => experts(kind, x, scope);
}

/** Norms of what is written cannot be folded into what reads them: they keep their weights. */
function outputNormOf(cfg: HookedTransformerConfig): NormKind | null {
  const { useNormalizationBeforeAndAfter: both, normPlacement, normalizationType: type } = cfg;
  if (!type || (normPlacement !== "output" && !both)) return null;
  return normKind(NORMS[type].subtractsMean ? "LN" : "RMS", cfg);
}

/** Blocks with norms after their additions end in one. */
function finalNormOf(cfg: HookedTransformerConfig): NormKind | null {
  const { normPlacement, finalRms, normalizationType } = cfg;
  if (normPlacement === "after") return null;
  return normKind(finalRms ? asRms(normalizationType) : normalizationType, cfg);
}

/** A norm with the model's eps. */
function normKind(type: NormalizationType | null, { eps, normBias }: HookedTransformerConfig): NormKind | null {
  if (!type) return null;
  const { subtractsMean, weights } = NORMS[type];
  return { subtractsMean, weights, eps, bias: subtractsMean && weights && normBias };
}

/** With `finalRms` the last norm is an RMSNorm, with weights where the others have them. */
function asRms(type: NormalizationType | null): NormalizationType | null {
  return type && (NORMS[type].weights ? "RMS" : "RMSPre");
}
