/** What every run that trains dictionaries takes. */
import type { ModelFiles } from "../../load/files.ts";
import { kindsOf } from "../../options/kinds.ts";
import type { Given, Settled } from "../../options/settle.ts";
import type { NDArray } from "../../tensor/array.ts";
import { ANYTHING, COUNT, either, FUNCTION, OBJECT, SIGNAL, TEXT } from "../../tensor/kinds.ts";
import type { OptionKinds } from "../../tensor/options.ts";
import type { CheckpointStore } from "../checkpoint-store.ts";
import { DICTIONARY_OPTIONS } from "./options.ts";
import { LOSS_DEFAULTS, type LossSettings } from "./settings.ts";
import type { StoredActivations } from "./stored-activations.ts";

/** What every run has: rows, where it is saved, and SAELens' settings in camelCase, with its defaults. */
export interface DictionaryRunOptions extends Given<typeof DICTIONARY_OPTIONS> {
  /** Rows of tokens, int32 [row pos], or activations that `glassformer scan activations` has saved; they are gone through again as often as the steps need. */
  readonly data: NDArray<"int32"> | StoredActivations;
  /** Where to save checkpoints, one folder each: a folder's path in Node, or a store. The last step is always saved. */
  readonly saveDir?: string | CheckpointStore | undefined;
  /** Also save a checkpoint every this many steps. */
  readonly saveEvery?: number | undefined;
  /** A folder of checkpoints, whose last one is continued: the result is that of a run that was not interrupted. */
  readonly resume?: string | ModelFiles | undefined;
}

/** The measures of a step. */
export interface DictionaryProgress {
  /** Steps done, and the total number. */
  readonly step: number;
  readonly steps: number;
  readonly lr: number;
  /**
   * Losses by SAELens' names, `loss` the sum of the others; features per token; the share of features that are dead; explained variance, and
   * across layers that of each, `explained_variance_0`.
   */
  readonly measures: Readonly<Record<string, number>>;
  /** The checkpoint that was just written. */
  readonly checkpoint: string | undefined;
}

/** What to do while training. */
export interface TrainDictionaryControls {
  /** Stops between two steps; what has been done is saved in `saveDir`, if there is one. */
  readonly signal?: AbortSignal | undefined;
  /** Called after each step; if it returns a promise, the next step waits for it. */
  readonly onProgress?: ((progress: DictionaryProgress) => unknown) | undefined;
}

export const RUN_OPTIONS: OptionKinds<DictionaryRunOptions> = {
  ...kindsOf(DICTIONARY_OPTIONS),
  ...{ data: ANYTHING, saveDir: either(TEXT, OBJECT), saveEvery: COUNT, resume: either(TEXT, OBJECT) },
};
export const CONTROLS: OptionKinds<TrainDictionaryControls> = { signal: SIGNAL, onProgress: FUNCTION };

/** The options of a run as records, with their defaults. */
export type DictionarySettings = Settled<typeof DICTIONARY_OPTIONS>;

/** The settings of the losses among a run's. */
export function lossSettings(settled: DictionarySettings, matryoshkaWidths: readonly number[] = []): LossSettings {
  const given = Object.entries(settled).filter(([name, value]) => name in LOSS_DEFAULTS && value !== undefined);
  return { ...LOSS_DEFAULTS, ...Object.fromEntries(given), matryoshkaWidths };
}
