/** glassformer: everything that runs on any platform. `glassformer` itself adds the platform's engine and files. */
// biome-ignore-all assist/source/organizeImports: in the reader's order, as a table of contents
import * as matrices from "ml-matrix";
import * as refactoring from "./models/processing/refactor-factored-attn-matrices.ts";
import { REFACTORING } from "./models/processing/process-weights.ts";
import { MATRICES, THIN_SVD } from "./tensor/matrices.ts";
import * as thinSvd from "./tensor/thin-svd.ts";
import { TEMPLATES } from "./text/chat.ts";
import * as templates from "./text/chat-jinja.ts";
MATRICES.bring(matrices);
THIN_SVD.bring(thinSvd);
REFACTORING.bring(refactoring);
TEMPLATES.bring(templates);

// Load a model
export { HookedTransformer } from "./lens/hooked-transformer.ts";
export { HookedEncoderDecoder } from "./lens/hooked-encoder-decoder.ts";
export type { HookedRoot } from "./lens/hooked-root.ts";
export type { HookedModel, Model } from "./lens/model.ts";
export {
  type FromPretrainedOptions,
  getCheckpointLabels,
  loadTokenizer,
  type ModelName,
} from "./lens/from-pretrained.ts";
export { type DtypeCost, type DtypeCostsOptions, dtypeCosts } from "./lens/dtype-costs.ts";
export type { KeptDType } from "./tensor/kept.ts";
export type { Device } from "./engine/devices.ts";
export { MODEL_ALIASES, resolveModelName } from "./models/families/index.ts";
export type { HookedTransformerConfig } from "./models/config/config.ts";
export { parseConfig } from "./models/config/parse.ts";
export { initWeights } from "./models/weights/init.ts";

// Run it
export type { ModelInput } from "./lens/tokens.ts";
export type { CacheOptions, ForwardOptions, HookOptions, Output, ReturnType } from "./lens/run-options.ts";
export { ActivationCache, type CacheKey } from "./lens/activation-cache.ts";
export type { Cut } from "./lens/cached.ts";
export type { AxisSlice } from "./lens/axis-slice.ts";
export { type LmLossOptions, lmAccuracy, lmCrossEntropyLoss } from "./lens/losses.ts";
export type { Loss, Metric, NumberOf } from "./lens/metric.ts";
export { KeyValueCache } from "./lens/key-value-cache.ts";
export type { GeneratedStep, GenerateOptions } from "./lens/generate.ts";
export { type SamplingOptions, sampleLogits } from "./lens/sampling.ts";
export { type FilledMask, type FillMaskOptions, fillMask } from "./lens/fill-mask.ts";

// Change it: hooks, splices, sweeps, and the graph of a run
export type { Hook, HookFunction, HookPoint } from "./lens/hooks.ts";
export type { HookName, HookNameLike, NamesFilter } from "./lens/hook-names.ts";
export { getActName } from "./models/act-name.ts";
export type { Change, Place } from "./lens/changes.ts";
export type { Part, PartScope, SpliceOptions, Splices } from "./lens/splices.ts";
/** The same change at many places, a metric at each. */
export * as sweeps from "./measures/sweep.ts";
export { type Edit, ModelGraph } from "./lens/model-graph.ts";

// Sparse dictionaries: autoencoders and transcoders
export {
  Dictionary,
  type DictionaryFilesOptions,
  type DictionaryFromPretrainedOptions,
  type DictionaryParts,
} from "./dictionaries/dictionary.ts";
export { TranscoderSet, type TranscoderSetOptions } from "./dictionaries/transcoder-set.ts";
export type { TranscoderSetKind } from "./dictionaries/set-parts.ts";
export type { TranscoderLayer, WrittenRows } from "./dictionaries/transcoder-layer.ts";
export type { WithDictionariesOptions } from "./dictionaries/placed.ts";
export type { DictionaryConfig, GivenDictionaryConfig } from "./dictionaries/config.ts";

// Tensors and gradients
export { Tensor } from "./graph/tensor.ts";
export { tensor } from "./graph/from-numbers.ts";
export {
  arange,
  eye,
  type FullOptions,
  full,
  ones,
  type RandnOptions,
  randn,
  type Shape,
  zeros,
} from "./graph/create.ts";
export { concat, einsum, stack, where } from "./graph/joined.ts";
export type { AxisRef } from "./graph/axes.ts";
export type { Coordinate } from "./graph/methods/indexing.ts";
export type { AxesRef } from "./graph/methods/reductions.ts";
export type { Ordered } from "./graph/methods/ordering.ts";
export type { Reduction } from "./graph/methods/rearrangement.ts";
export type { DType, NDArray, TypedData } from "./tensor/array.ts";
export { type GradOptions, grad } from "./graph/rewrite/grad.ts";
export { print } from "./graph/print.ts";

// Take it apart: components, streams and weights
export {
  type Addition,
  type Components,
  components,
  hears,
  type Reader,
  type Receiver,
  type Sender,
  type Writer,
  type WriterOutput,
} from "./lens/components.ts";
export { ResidualStack } from "./lens/residual-stack.ts";
export { type Complex, FactoredMatrix, type MatrixIndex, type Svd } from "./lens/factored-matrix.ts";
export { compositionScores } from "./measures/composition.ts";
export type { CompositionMode, TokenChoice } from "./lens/weight-views.ts";

// - features of a prompt
export { type FeaturesOptions, features } from "./analyses/features.ts";
export {
  type FeatureAtTokenRow,
  type FeaturesMeasurement,
  type MeasureFeaturesOptions,
  measureFeatures,
} from "./measures/features.ts";
export type { FeaturePositionRow } from "./measures/features/positions.ts";

// - steering with a feature
export { type FeatureSteeringOptions, featureSteering } from "./analyses/feature-steering.ts";
export {
  type FeatureSteeringMeasurement,
  type MeasureFeatureSteeringOptions,
  measureFeatureSteering,
  type SteeredControlRow,
  type SteeredRow,
  type SteeredTokenRow,
} from "./measures/feature-steering.ts";

// - a feature
export { feature } from "./analyses/feature.ts";
export {
  type FeatureMeasurement,
  type FeatureOptions,
  type FeatureTokenRow,
  measureFeature,
} from "./measures/feature.ts";
export type { NearFeatureRow } from "./measures/feature/nearest.ts";
export type { BehindNeuronRow, FeatureOnTextRow } from "./measures/feature/reader.ts";

// - which features carry what decides between two answers
export { type FeaturePatchingOptions, featurePatching } from "./analyses/feature-patching.ts";
export {
  type FeaturePatchingMeasurement,
  type FeaturePatchingRow,
  type MeasureFeaturePatchingOptions,
  measureFeaturePatching,
  type PatchedTogetherRow,
} from "./measures/feature-patching.ts";

// - how good a dictionary is
export { type DictionaryReportOptions, dictionaryReport } from "./analyses/dictionary-report.ts";
export {
  type DictionaryReportMeasurement,
  type DictionaryRunRow,
  type MeasureDictionaryReportOptions,
  measureDictionaryReport,
} from "./measures/dictionary-report.ts";
export type { FeatureRow } from "./measures/dictionary-report/features.ts";
export type { DictionaryNumbers } from "./measures/dictionary-report/numbers.ts";

// Changes of a run as plain data
export { changedModel, type InterventionRunOptions, interventionHooks } from "./measures/interventions.ts";
export {
  type InterventionCode,
  type InterventionCodeOptions,
  interventionCode,
} from "./measures/intervention-code.ts";
export type { GivenIntervention } from "./measures/interventions/options.ts";

// Analyses: what one is, and all of them. `x(model, options)` gives the finding, `measureX(model, options)` its numbers
export { ANALYSES, analysisCalled } from "./analyses/index.ts";
export type { Analysis } from "./analyses/analysis.ts";
export type { AnalysisContext } from "./measures/options.ts";
export type { OnProgress, Progress } from "./tensor/progress.ts";
export type { Condition, OptionRecord, OptionRecords } from "./options/records.ts";
export { Measured, type TopOptions } from "./measures/measured.ts";
export { NOTEBOOK_PROMPTS } from "./measures/notebook-prompts.ts";

// - diffuse MLPs
export { type DiffuseMlpOptions, diffuseMlp } from "./analyses/diffuse-mlp.ts";
export { type DiffuseMlpMeasurement, measureDiffuseMlp } from "./measures/diffuse-mlp.ts";
export type { MeasureDiffuseMlpOptions } from "./measures/diffuse-mlp/options.ts";

// - one text, from all sides
export { look } from "./analyses/look.ts";
export {
  type LookMeasurement,
  type LookOptions,
  measureLook,
  type NextToken,
  type Surprise,
  type SurprisingToken,
} from "./measures/look.ts";

// - logit lens
export { logitLens } from "./analyses/logit-lens.ts";
export { type LogitLensMeasurement, type LogitLensOptions, measureLogitLens } from "./measures/logit-lens.ts";

// - activation patching
export { type ActivationPatchingOptions, activationPatching } from "./analyses/activation-patching.ts";
export {
  type ActivationPatchingMeasurement,
  type MeasureActivationPatchingOptions,
  measureActivationPatching,
} from "./measures/activation-patching.ts";
/** TransformerLens' `patching`: activation patching of one kind of activation, at every place. */
export * as patching from "./measures/patching.ts";

// - attention patterns
export { attentionPatterns } from "./analyses/attention-patterns.ts";
export {
  type AttentionPatternsMeasurement,
  type AttentionPatternsOptions,
  measureAttentionPatterns,
} from "./measures/attention-patterns.ts";

// - test prompt
export { testPrompt } from "./analyses/test-prompt.ts";
export {
  measureTestPrompt,
  type TestPromptMeasurement,
  type TestPromptOptions,
  testPromptText,
} from "./measures/test-prompt.ts";

// - direct logit attribution
export { directLogitAttribution } from "./analyses/direct-logit-attribution.ts";
export {
  type DirectLogitAttributionMeasurement,
  type DirectLogitAttributionOptions,
  measureDirectLogitAttribution,
} from "./measures/direct-logit-attribution.ts";

// - head detector
export { type HeadDetectorOptions, headDetector } from "./analyses/head-detector.ts";
export {
  type HeadDetectorMeasurement,
  type MeasureHeadDetectorOptions,
  measureHeadDetector,
} from "./measures/head-detector.ts";
export { detectionPattern, HEAD_NAMES, type HeadName } from "./measures/head-detector/detection-patterns.ts";
export { type DetectHeadOptions, detectHead, type ErrorMeasure } from "./measures/head-detector/detect-head.ts";

// - induction score
export { type InductionScoreOptions, inductionScore } from "./analyses/induction-score.ts";
export {
  type InductionScoreMeasurement,
  type MeasureInductionScoreOptions,
  measureInductionScore,
} from "./measures/induction-score.ts";

// - singular vectors
export { singularVectors } from "./analyses/singular-vectors.ts";
export {
  measureSingularVectors,
  type SingularVectorsMeasurement,
  type SingularVectorsOptions,
} from "./measures/singular-vectors.ts";
export {
  type GetSingularVectorsOptions,
  getSingularVectors,
  type SingularVectors,
  type SingularVectorsOf,
} from "./measures/singular-vectors/get-singular-vectors.ts";

// - a neuron's tokens
export { neuronTokens } from "./analyses/neuron-tokens.ts";
export {
  measureNeuronTokens,
  type NeuronTokensMeasurement,
  type NeuronTokensOptions,
} from "./measures/neuron-tokens.ts";

// - attribution patching
export { type AttributionPatchingOptions, attributionPatching } from "./analyses/attribution-patching.ts";
export {
  ATTRIBUTION_SITES,
  type AttributionPatchingMeasurement,
  type AttributionSite,
  attributionSites,
  type MeasureAttributionPatchingOptions,
  measureAttributionPatching,
} from "./measures/attribution-patching.ts";

// - gradient times activation, integrated gradients, neuron saliency
export { type GradientXActivationOptions, gradientXActivation } from "./analyses/gradient-x-activation.ts";
export {
  type GradientXActivationMeasurement,
  type MeasureGradientXActivationOptions,
  measureGradientXActivation,
} from "./measures/gradient-x-activation.ts";
export { type IntegratedGradientsOptions, integratedGradients } from "./analyses/integrated-gradients.ts";
export {
  type IntegratedGradientsMeasurement,
  type MeasureIntegratedGradientsOptions,
  measureIntegratedGradients,
} from "./measures/integrated-gradients.ts";
export { type NeuronSaliencyOptions, neuronSaliency } from "./analyses/neuron-saliency.ts";
export {
  type MeasureNeuronSaliencyOptions,
  measureNeuronSaliency,
  type NeuronSaliencyMeasurement,
} from "./measures/neuron-saliency.ts";

// - ablation
export { type AblationOptions, ablation } from "./analyses/ablation.ts";
export { type AblationMeasurement, measureAblation } from "./measures/ablation.ts";
export type { AblationKind, MeasureAblationOptions } from "./measures/ablation/options.ts";
export type { AblationMethod } from "./measures/ablation/replacements.ts";

// - edge attribution
export { type EdgeAttributionOptions, edgeAttribution } from "./analyses/edge-attribution.ts";
export {
  type EdgeAttributionMeasurement,
  type MeasureEdgeAttributionOptions,
  measureEdgeAttribution,
} from "./measures/edge-attribution.ts";

// - attribution graphs
export { type AttributionGraphOptions, attributionGraph } from "./analyses/attribution-graph.ts";
export type {
  AttributionGraph,
  ErrorNode,
  FeatureNode,
  GraphNode,
  LogitNode,
  TokenNode,
} from "./measures/attribution-graph/graph.ts";
export {
  edgeInfluence,
  type GraphScores,
  graphScores,
  nodeInfluence,
} from "./measures/attribution-graph/influence.ts";
export {
  type GraphJson,
  type GraphJsonNode,
  type GraphJsonOptions,
  graphFromJson,
  graphJson,
  type ReadGraph,
} from "./measures/attribution-graph/json.ts";
export type { TracedGraph } from "./measures/attribution-graph/traced-graph.ts";
export { type Pruned, type PruneOptions, pruneGraph } from "./measures/attribution-graph/prune.ts";
export type { SparseMatrix } from "./measures/attribution-graph/sparse.ts";
export type { Target, TargetDirection } from "./measures/attribution-graph/targets.ts";
export {
  type AttributionGraphMeasurement,
  type AttributionGraphRow,
  type MeasureAttributionGraphOptions,
  measureAttributionGraph,
} from "./measures/attribution-graph.ts";
export {
  type FeatureChange,
  type FeatureIntervention,
  type FeatureInterventionOptions,
  type FeatureInterventionResult,
  featureIntervention,
} from "./measures/feature-intervention.ts";

// - indirect object identification
export { ioi } from "./analyses/ioi.ts";
export { type IoiMeasurement, measureIoi } from "./measures/ioi.ts";
export type { IoiOptions } from "./measures/ioi/options.ts";
export type { IoiPrompt } from "./measures/ioi/prompts.ts";

// - path patching
export { type PathPatchingOptions, pathPatching } from "./analyses/path-patching.ts";
export {
  type MeasurePathPatchingOptions,
  measurePathPatching,
  type Path,
  type PathPatchingMeasurement,
  withPaths,
} from "./measures/path-patching.ts";
export { allSenders } from "./measures/path-patching/path-ends.ts";

// Findings and pictures
export {
  type Checksum,
  type Finding,
  type FindingParts,
  finding,
  type Gap,
  type Provenance,
} from "./finding/finding.ts";
export { type ProvenanceOptions, withProvenance } from "./finding/provenance.ts";
export type { PictureSpec } from "./finding/picture.ts";
export { type Cell, type Column, type ColumnChanges, column, rowsOf, type Table, tableOf } from "./finding/table.ts";
export {
  type AttentionHeadsOptions,
  type BarOptions,
  attentionHeads,
  attentionPattern,
  bar,
  element,
  type HistOptions,
  hist,
  type ImshowOptions,
  imshow,
  type LineOptions,
  type LogitLensCell,
  type LogitLensCellsOptions,
  type LogitLensTableOptions,
  line,
  logitLensCells,
  logitLensTable,
  type Mountable,
  type Mounted,
  type MountOptions,
  mount,
  type Picture,
  picture,
  type RankedToken,
  REPORT_FORMATS,
  type RenderOptions,
  type ReportFormat,
  render,
  type ScatterOptions,
  scatter,
  type TextNeuronActivationsOptions,
  type TokensOptions,
  type TopkTableOptions,
  type TopkTokensOptions,
  type ActivationsState,
  type AttentionState,
  type GraphState,
  type ViewEvents,
  type ViewPlace,
  type ViewState,
  textNeuronActivations,
  tokens,
  tokenTicks,
  topkTable,
  topkTokens,
} from "./report/index.ts";

// Training: data, steps, evaluation, checkpoints
export { readTexts, type TextsOptions } from "./training/data/texts.ts";
export { type TrainBpeOptions, trainBpe } from "./training/data/train-bpe.ts";
export { type ConcatenateOptions, tokenizeAndConcatenate } from "./training/data/tokenize-and-concatenate.ts";
export { holdOut } from "./training/data/held-out.ts";
export { type RepeatRowsOptions, repeatRows } from "./training/data/repeat-rows.ts";
export type { TrainingData } from "./training/data/batches.ts";
export { type Chance, type TaskData, type TrainingTask, textTask } from "./training/data/tasks.ts";
export {
  type ModularAdditionOptions,
  modularAddition,
  type RepeatedTokensOptions,
  repeatedTokens,
} from "./training/data/synthetic.ts";
export { type TrainResult, train } from "./training/train.ts";
export type { TrainControls, TrainOptions, TrainProgress } from "./training/options.ts";
export type {
  DictionaryProgress,
  DictionaryRunOptions,
  TrainDictionaryControls,
} from "./training/dictionaries/run-options.ts";
export {
  type ActivationsIndex,
  openActivations,
  type StoredActivations,
} from "./training/dictionaries/stored-activations.ts";
export {
  type TrainCrossLayerOptions,
  type TrainedCrossLayer,
  trainCrossLayerTranscoder,
} from "./training/dictionaries/train-cross-layer.ts";
export {
  type TrainDictionaryOptions,
  type TrainedDictionary,
  trainDictionary,
} from "./training/dictionaries/train-dictionary.ts";
export { type EvaluateOptions, evaluateLoss, type HeldOutLoss } from "./training/evaluate.ts";
export { type LossCurveOptions, lossCurve } from "./training/loss-curve.ts";
export type { CheckpointStore } from "./training/checkpoint-store.ts";

// Text
export { type ChatMessage, type ChatOptions, parsePrompts, Tokenizer, TokenRules } from "./text/index.ts";

// Files
export {
  type ByteSource,
  type DownloadProgress,
  type ModelFiles,
  memoryFiles,
  memorySource,
  type PthOptions,
  readGguf,
  readPth,
  readSafetensors,
  urlSource,
  writeSafetensors,
} from "./load/index.ts";

// The engine
export { Engine, type EngineOptions } from "./engine/engine.ts";
export type { Backend, Session } from "./engine/backend.ts";

// Errors
export {
  ArgumentError,
  ConfigError,
  FileFormatError,
  GlassformerError,
  HubError,
  InputError,
  MemoryError,
  ShapeError,
  UnknownNameError,
  WeightsError,
} from "./tensor/errors.ts";
export { TrainingError } from "./training/training-error.ts";
