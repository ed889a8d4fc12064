/** The weight transformations, in TransformerLens' order and with its exceptions. */
import type { Tensor } from "../../graph/tensor.ts";
import type { NDArray } from "../../tensor/array.ts";
import { FLAG } from "../../tensor/kinds.ts";
import { OnDemand } from "../../tensor/on-demand.ts";
import { checkOptions, type OptionKinds } from "../../tensor/options.ts";
import { compose } from "../compose.ts";
import type { HookedTransformerConfig } from "../config/config.ts";
import { type Recording, recordingOf } from "../recording.ts";
import type { Structure } from "../structure.ts";
import { checkWeights, type WeightArrays } from "../weights/check.ts";
import { centerUnembed } from "./center-unembed.ts";
import { centerWritingWeights } from "./center-writing-weights.ts";
import { WeightDraft } from "./draft.ts";
import { foldedConfig, foldLayerNorm } from "./fold-layer-norm.ts";
import { foldValueBiases } from "./fold-value-biases.ts";
import { type Stream, streamOf } from "./stream.ts";

/** Rarely asked for. */
export const REFACTORING = new OnDemand(
  "refactorFactoredAttnMatrices",
  () => import("./refactor-factored-attn-matrices.ts"),
);

/** What to do to the weights before use. No log probability changes, except with the last flag. */
export interface ProcessingFlags {
  /** Fold norms' weights and biases into what reads them. */
  readonly foldLn: boolean;
  /** Centre everything that is written to the residual stream. */
  readonly centerWritingWeights: boolean;
  /** Centre the logits. */
  readonly centerUnembed: boolean;
  /** Fold values' biases into `b_O`. */
  readonly foldValueBiases: boolean;
  /** Write heads in the bases of their singular vectors. */
  readonly refactorFactoredAttnMatrices: boolean;
  /**
   * Centre `W_U` over d_model even where the last norm is an RMSNorm, as TransformerLens does in folding. For the old
   * SoLU models its logits therefore differ from the models' own; reproducing published numbers needs this.
   */
  readonly transformerLensFinalRms: boolean;
}

/** The flags of `fromPretrained`, as in TransformerLens. */
export const DEFAULT_PROCESSING: ProcessingFlags = {
  foldLn: true,
  centerWritingWeights: true,
  centerUnembed: true,
  foldValueBiases: true,
  refactorFactoredAttnMatrices: false,
  transformerLensFinalRms: false,
};

/** The flags of `fromPretrainedNoProcessing`. */
export const NO_PROCESSING: ProcessingFlags = {
  foldLn: false,
  centerWritingWeights: false,
  centerUnembed: false,
  foldValueBiases: false,
  refactorFactoredAttnMatrices: false,
  transformerLensFinalRms: false,
};

/** What each flag may be, for callers without types. */
export const FLAG_KINDS: OptionKinds<ProcessingFlags> = {
  foldLn: FLAG,
  centerWritingWeights: FLAG,
  centerUnembed: FLAG,
  foldValueBiases: FLAG,
  refactorFactoredAttnMatrices: FLAG,
  transformerLensFinalRms: FLAG,
};

export interface ProcessedWeights {
  /** Parameterless norms where they were folded. */
  readonly config: HookedTransformerConfig;
  readonly weights: Map<string, NDArray<"float32">>;
  /** Each flag that does not apply to this model, and why. */
  readonly notes: readonly string[];
}

/**
 * Applies fold_ln, center_writing_weights, center_unembed, fold_value_biases and refactor_factored_attn_matrices, in that
 * order. Sums are in float64, results in float32. The input arrays are not changed; those that no step touches are shared
 * with the result.
 *
 * @param flags omitted ones are as in `DEFAULT_PROCESSING`
 * @throws ArgumentError for a flag that does not exist; WeightsError if the weights are not those of the configuration; ConfigError for a flag that cannot be applied.
 */
export function processWeights(
  config: HookedTransformerConfig,
  weights: WeightArrays,
  flags: Partial<ProcessingFlags> = {},
): ProcessedWeights {
  checkOptions("processWeights", flags, FLAG_KINDS);
  checkWeights(config, weights);
  const { config: after, notes, apply } = processing(config, flags);
  return { config: after, weights: apply(new WeightDraft(weights)), notes };
}

/** What processing does to a configuration, and to its weights. */
export interface Processing extends Omit<ProcessedWeights, "weights"> {
  /**
   * Processes the weights of a draft, which may be a part of the model's: all of a block, or all outside the blocks.
   * @throws ConfigError for a flag that cannot be applied
   */
  apply(draft: WeightDraft): Map<string, NDArray<"float32">>;
}

/** As `processWeights`, for weights that are not there yet. */
export function processing(config: HookedTransformerConfig, flags: Partial<ProcessingFlags>): Processing {
  const setFlags = Object.entries(flags).filter(([, value]) => value !== undefined);
  const allFlags = { ...DEFAULT_PROCESSING, ...Object.fromEntries(setFlags) };
  const recording = recordingOf(config);
  const stream = streamOf(recording);
  const { flags: applicable, notes } = applicableFlags(config, stream, recording.structure, allFlags);
  const amongLayerNorms = stream.norms.some(({ norm }) => norm.subtractsMean);
  const folding = { centerFinalRms: applicable.transformerLensFinalRms, amongLayerNorms };
  return {
    config: applicable.foldLn ? foldedConfig(config) : config,
    notes,
    apply(draft) {
      const { norms, writers, here } = within(draft, stream, recording);
      if (applicable.foldLn) foldLayerNorm(draft, norms, folding);
      if (applicable.centerWritingWeights) centerWritingWeights(draft, writers);
      if (applicable.centerUnembed) centerUnembed(draft, here);
      if (applicable.foldValueBiases) foldValueBiases(draft, here);
      if (applicable.refactorFactoredAttnMatrices) REFACTORING.code.refactorFactoredAttnMatrices(draft, here);
      return draft.finish();
    },
  };
}

/** What a stream and a recording say of the weights in a draft. */
function within(draft: WeightDraft, { norms, writers }: Stream, recording: Recording) {
  const has = ({ label }: Tensor) => draft.has(label!);
  const attentions = recording.structure.attentions.filter(({ weights }) => has(weights.W_O));
  const here: Recording = {
    ...recording,
    weights: new Map([...recording.weights].filter(([name]) => draft.has(name))),
    structure: { ...recording.structure, attentions },
  };
  return {
    norms: norms.filter(({ readers }) => readers.every(({ weight }) => has(weight))),
    writers: writers.filter(has),
    here,
  };
}

/** Turns off what would change the model. */
function applicableFlags(
  config: HookedTransformerConfig,
  { norms, meanFree, outputNorm, logitsAreProduct }: Stream,
  { attentions }: Structure,
  asked: ProcessingFlags,
): { flags: ProcessingFlags; notes: string[] } {
  const flags: { -readonly [K in keyof ProcessingFlags]: boolean } = { ...asked };
  const notes: string[] = [];
  const turnOff = (flag: keyof ProcessingFlags, name: string, why: string) => {
    if (!flags[flag]) return;
    flags[flag] = false;
    notes.push(`${name} is left out: ${why}.`);
  };
  const { unprocessed } = compose(config).positions;
  if (unprocessed !== undefined) {
    turnOff("foldLn", "fold_ln", unprocessed);
    turnOff("centerWritingWeights", "center_writing_weights", unprocessed);
    turnOff("centerUnembed", "center_unembed", "TransformerLens leaves such models unchanged");
  }
  if (norms.length === 0) turnOff("foldLn", "fold_ln", "the model has no norms");
  const shared = norms.find(({ norm, onlyProducts }) => norm.w && !onlyProducts);
  if (shared) turnOff("foldLn", "fold_ln", `${shared.norm.w!.label} is read by more than weights`);
  const unbiased = norms.flatMap(({ norm, readers }) => (norm.b ? readers.filter(({ bias }) => !bias) : []))[0];
  if (unbiased) turnOff("foldLn", "fold_ln", `${unbiased.weight.label} has no bias that could take a norm's`);
  if (!meanFree) {
    turnOff("centerWritingWeights", "center_writing_weights", "not every reader of the stream subtracts its mean");
  }
  if (recordingOf(config).structure.attentions.some(({ clipsValues }) => clipsValues)) {
    turnOff("foldValueBiases", "fold_value_biases", "values are clipped with their biases");
  }
  if (outputNorm) {
    turnOff(
      "centerWritingWeights",
      "center_writing_weights",
      `${outputNorm.where} norms what is written to the stream`,
    );
  }
  if (!logitsAreProduct) turnOff("centerUnembed", "center_unembed", "logits are capped, so a constant changes them");
  if (attentions.some(({ sumsToOne }) => !sumsToOne)) {
    turnOff(
      "foldValueBiases",
      "fold_value_biases",
      "sinks take a share of attention, so a pattern's rows do not sum to 1",
    );
  }
  return { flags, notes };
}
