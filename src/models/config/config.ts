/**
 * What a model is, apart from its weights: sizes, activation, norms, positions. The fields are those of TransformerLens
 * 2.18's `HookedTransformerConfig`, in camelCase; `parseConfig` reads its snake_case dictionary and `toTransformerLens`
 * writes it back.
 */

import type { ActivationName } from "../parts/activation.ts";
import type { AttentionType, QkNormType } from "../parts/attention.ts";
import type { NormPlacement } from "../parts/block.ts";
import type { MlpType } from "../parts/experts.ts";
import type { NormalizationType } from "../parts/norm.ts";
import type { PositionalEmbeddingType } from "../parts/positions.ts";
import type { InitMode } from "../weights/init-modes.ts";

export type { ActivationName, InitMode, NormalizationType, NormPlacement, PositionalEmbeddingType };

/** A model's configuration. Made by `parseConfig`, which fills in the defaults and rejects what cannot be run. */
export interface HookedTransformerConfig {
  /** Blocks, each attention and then (unless `attnOnly`) an MLP. */
  readonly nLayers: number;
  /** Width of the residual stream. */
  readonly dModel: number;
  /** Longest sequence, in tokens, with BOS. */
  readonly nCtx: number;
  /** Width of one head. `dHead * nHeads` need not be `dModel`. */
  readonly dHead: number;
  /** Heads of a layer. Default `dModel / dHead`. */
  readonly nHeads: number;
  /** Neurons of a layer. Default `4 dModel`; null in attention-only models that do not set it. */
  readonly dMlp: number | null;
  /** The MLP's nonlinearity; null only with `attnOnly`. */
  readonly actFn: ActivationName | null;
  /** Tokens that can be read. */
  readonly dVocab: number;
  /** Tokens that can be predicted. Default `dVocab`. */
  readonly dVocabOut: number;
  /** Added to the variance inside every norm's root. */
  readonly eps: number;
  /** The name shown to people. */
  readonly modelName: string;

  /** What attention scores are divided by. Default `sqrt(dHead)`. Read only with `useAttnScale`. */
  readonly attnScale: number;
  /** False: scores are not divided. */
  readonly useAttnScale: boolean;
  /** Scores of layer l are also divided by `l + 1`. */
  readonly scaleAttnByInverseLayerIdx: boolean;
  /** Whether a query sees later keys. */
  readonly attentionDir: "causal" | "bidirectional";
  /** No MLPs. */
  readonly attnOnly: boolean;
  /** Norms of the blocks, and the last norm unless `finalRms`. Null: none anywhere. */
  readonly normalizationType: NormalizationType | null;
  /** The last norm is an RMSNorm, although the others are LayerNorms (the oldest SoLU models). */
  readonly finalRms: boolean;
  /** What the tokens look up passes a LayerNorm, with weights, before it is the stream. */
  readonly postEmbeddingLn: boolean;
  /**
   * `standard` adds `W_pos` to the stream; `shortformer` only to the input of queries and keys; `rotary` turns queries and
   * keys; `alibi` lowers scores by the distance of query and key.
   */
  readonly positionalEmbeddingType: PositionalEmbeddingType;
  /** With `rotary`: how many of a head's dimensions are turned. Default: all of them. */
  readonly rotaryDim: number | null;
  /** With `rotary`: the pair i of dimensions turns by `pos / rotaryBase^(2i / rotaryDim)`. */
  readonly rotaryBase: number;
  /** With `rotary`: the base in the layers that `attnTypes` says are `local`, whose pairs turn without stretch; null: as elsewhere. */
  readonly rotaryBaseLocal: number | null;
  /** With `rotary`: pairs are dimensions 2i and 2i + 1 instead of i and i + rotaryDim / 2. */
  readonly rotaryAdjacentPairs: boolean;
  /** With `rotary`: slow pairs are slowed down for longer texts, as in Llama 3.1; the next four fields say how. */
  readonly useNtkByPartsRope: boolean;
  /** Pairs that turn less often than this over the length of training are slowed down by `ntkByPartsFactor`. */
  readonly ntkByPartsLowFreqFactor: number;
  /** Pairs that turn more often than this stay as they are. */
  readonly ntkByPartsHighFreqFactor: number;
  readonly ntkByPartsFactor: number;
  /** The length of training, in tokens. */
  readonly ntkOriginalCtxLen: number;
  /** With `relative_positional_bias`, of encoder-decoders: how many buckets distances fall into. */
  readonly relativeAttentionNumBuckets: number | null;
  /** From which distance on all are in the last bucket. */
  readonly relativeAttentionMaxDistance: number | null;
  /** The token that a decoder's text begins with. */
  readonly decoderStartTokenId: number | null;
  /** Attention and MLP of a block read the same stream; otherwise the MLP also reads what attention has written. */
  readonly parallelAttnMlp: boolean;
  /** MLPs multiply `act(x W_gate)` with `x W_in`. */
  readonly gatedMlp: boolean;
  /** In place of each MLP a mixture of this many gated ones, of which a router chooses `expertsPerToken` for each position. */
  readonly numExperts: number | null;
  /** Experts of each position. */
  readonly expertsPerToken: number | null;
  /** Heads of keys and values, if queries have more; null: the same number. */
  readonly nKeyValueHeads: number | null;
  /** Queries of the layers that `attnTypes` says are `local` see `windowSize` keys, their own included. */
  readonly useLocalAttn: boolean;
  readonly windowSize: number | null;
  /** For each layer; read only with `useLocalAttn`. */
  readonly attnTypes: readonly AttentionType[] | null;
  /** Queries and keys are normed, before rotary positions turn them. */
  readonly useQkNorm: boolean;
  /** What attention and MLP write is normed too, before it is added to the residual stream. */
  readonly useNormalizationBeforeAndAfter: boolean;
  /** Scores are `cap · tanh(score / cap)`; -1: no cap. */
  readonly attnScoresSoftCap: number;
  /** The same of logits. */
  readonly outputLogitsSoftCap: number;

  // Of our own: TransformerLens has no such fields, and each is by default what changes nothing.
  /** Norms stand before attention and MLP, or after what each adds to the residual stream (BERT, OPT-350m), or only between them (OLMo 2). */
  readonly normPlacement: NormPlacement;
  /** Queries, keys and values are held between this and its negative (OLMo 1, MPT), after norms of queries and keys (OLMoE); null: they are not. */
  readonly qkvClip: number | null;
  /** LayerNorms with weights have biases. */
  readonly normBias: boolean;
  /** With `gatedMlp`: gates and what they multiply have biases, `b_gate` and `b_linear`. */
  readonly gatedMlpBiases: boolean;
  /** With `useQkNorm`: which norms. TransformerLens has `RMS`. */
  readonly qkNormType: QkNormType;
  /** With `rotary`: what the frequency of each of the `rotaryDim / 2` pairs is divided by; null: nothing. */
  readonly rotaryStretch: readonly number[] | null;
  /** The same in texts longer than `ntkOriginalCtxLen` tokens; null: no difference. */
  readonly rotaryStretchLong: readonly number[] | null;
  /** With `rotary`: what turned dimensions are multiplied with. */
  readonly rotaryMagnitude: number;
  /** With `rotary`: whether each layer turns queries and keys; null: all of them. */
  readonly rotaryLayers: readonly boolean[] | null;
  /** How many token types are embedded: 2 in BERT, for the first and the second text; 0: none. */
  readonly nTokenTypes: number;
  /** A norm of the sum of all embeddings, before the first block (BERT). */
  readonly normAfterEmbeddings: boolean;
  /** In an encoder-decoder the decoder's blocks, whose encoder has `nLayers`; null in other models. */
  readonly nDecoderLayers: number | null;
  /** The model fills in masked tokens: a dense layer, a nonlinearity and a norm stand before the unembedding (BERT). */
  readonly mlmHead: boolean;
  /** Heads attend to a sink in addition to keys: a learned number next to the scores, whose share of attention brings nothing. */
  readonly attentionSinks: boolean;
  /** With `numExperts`: which layers have experts, and which one MLP; null: all have experts. */
  readonly mlpTypes: readonly MlpType[] | null;
  /** With `numExperts`: neurons of each expert; null: `dMlp`. */
  readonly expertDMlp: number | null;
  /** With `numExperts`: neurons of one more expert, which every position has; null: there is none. */
  readonly sharedExpertDMlp: number | null;
  /** With `numExperts`: the weights of a position's experts are divided by their sum. */
  readonly normTopkProb: boolean;
  /** With `numExperts`: the router's softmax is over the chosen experts instead of over all. */
  readonly softmaxAfterTopk: boolean;
  /** With `numExperts`: router and experts have biases. */
  readonly expertBiases: boolean;
  /** With `numExperts`: experts are `act(min(gate, limit)) · (1 + pre within ±limit)`; null: `act(gate) · pre`. */
  readonly expertLimit: number | null;
  /** With `alibi`: by how much each head's scores fall with each position; null: `2^(-8 (i + 1) / nHeads)` of head i. */
  readonly alibiSlopes: readonly number[] | null;

  /** Name of the tokenizer, or of its file next to the weights. */
  readonly tokenizerName: string | null;
  /** Whether BOS goes first by default. */
  readonly defaultPrependBos: boolean;
  /** Whether the tokenizer itself puts BOS first; null until there is a tokenizer. */
  readonly tokenizerPrependsBos: boolean | null;
  /** The architecture's name where the model came from. */
  readonly originalArchitecture: string | null;
  readonly fromCheckpoint: boolean;
  readonly checkpointIndex: number | null;
  readonly checkpointLabelType: "token" | "step" | null;
  readonly checkpointValue: number | null;

  /** Seed of a random initialisation. */
  readonly seed: number | null;
  readonly initMode: InitMode;
  /** Standard deviation of a random initialisation. Default `0.8 / sqrt(dModel)`. */
  readonly initializerRange: number;
  /** Weights of attention and MLPs, without embeddings, norms and biases; always computed. */
  readonly nParams: number;
  /** All computation is in float32. */
  readonly dtype: "float32";

  // Accepted for TransformerLens' sake, but without meaning here: hooks fire whenever they are requested, the engine
  // chooses where to run, and no code comes with a model.
  readonly useAttnResult: boolean;
  readonly useSplitQkvInput: boolean;
  readonly useHookMlpIn: boolean;
  readonly useAttnIn: boolean;
  readonly useHookTokens: boolean;
  readonly ungroupGroupedQueryAttention: boolean;
  readonly initWeights: boolean;
  readonly device: string | null;
  readonly nDevices: number;
  readonly trustRemoteCode: boolean;
  /** TransformerLens reads this only for encoder-decoders; a tied unembedding is simply a `W_U` equal to `W_E`ᵀ. */
  readonly tieWordEmbeddings: boolean;

  // Known, but rejected if they ask for something: no block computes them.
  readonly loadIn4bit: boolean;
}
