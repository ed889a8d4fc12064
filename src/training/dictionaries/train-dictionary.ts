/** Trains a sparse dictionary on a model's activations. */
import type { Dictionary } from "../../dictionaries/dictionary.ts";
import { checkModel } from "../../lens/check.ts";
import type { HookedTransformer } from "../../lens/hooked-transformer.ts";
import { settle } from "../../options/settle.ts";
import { ArgumentError } from "../../tensor/errors.ts";
import { COUNT, FLAG, listOf, OBJECT, TEXT } from "../../tensor/kinds.ts";
import { checkOptions, type OptionKinds } from "../../tensor/options.ts";
import { configWhileTrained } from "./config.ts";
import type { TrainingKindName } from "./kinds.ts";
import { oneDictionary } from "./one-dictionary.ts";
import { DICTIONARY_OPTIONS } from "./options.ts";
import { tokenPoint, trained } from "./run.ts";
import {
  CONTROLS,
  type DictionaryRunOptions,
  lossSettings,
  RUN_OPTIONS,
  type TrainDictionaryControls,
} from "./run-options.ts";

/** What a dictionary is trained on, and how. It is saved in SAELens' format. */
export interface TrainDictionaryOptions extends DictionaryRunOptions {
  /** The hook point that the dictionary reads, and, unless `makes` says another one, stands at. */
  readonly at: string;
  /** The hook point that a transcoder makes, such as `blocks.0.hook_mlp_out`. */
  readonly makes?: string | undefined;
  /** Whether a transcoder's input also goes to its output through a matrix, `W_skip`. Default: no. */
  readonly skip?: boolean | undefined;
  /** Whether `b_dec` is subtracted from the input. Default: yes, but never in a transcoder. */
  readonly applyBDecToInput?: boolean | undefined;
  /** The numbers of features that reconstruct alone, of `matryoshka_batchtopk`. Default: an eighth, a quarter and a half of them. */
  readonly matryoshkaWidths?: readonly number[] | undefined;
  /** What else its `cfg.json` is to say, as SAELens' metadata: `dataset_path`, `context_size`, `prepend_bos`, … */
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
}

/** What a run gives. */
export interface TrainedDictionary {
  readonly dictionary: Dictionary;
  /** The measures of each step, from the first one on. */
  readonly history: readonly Readonly<Record<string, number>>[];
  /** The last checkpoint. */
  readonly checkpoint: string | undefined;
}

const OPTIONS: OptionKinds<TrainDictionaryOptions> = {
  ...RUN_OPTIONS,
  ...{ at: TEXT, makes: TEXT, skip: FLAG, applyBDecToInput: FLAG, metadata: OBJECT },
  matryoshkaWidths: listOf(COUNT, "numbers"),
};

/**
 * Trains a sparse autoencoder, or with `makes` a transcoder, on what a model's hook point holds over rows of tokens:
 * `Σ_d (x̂ - x)²`, the mean over tokens, plus what its kind adds, by Adam. The result is as SAELens saves dictionaries for use: norms
 * folded where features are compared times them, thresholds in place of comparing batches. The same seed gives the same dictionary.
 * @throws ArgumentError for options that do not go together, UnknownNameError for an unknown hook point, ConfigError for sizes that
 * cannot be, MemoryError for a step that does not fit, TrainingError if the loss is no longer a number
 * Source: SAELens' `SAETrainer`.
 */
export async function trainDictionary(
  model: HookedTransformer,
  options: TrainDictionaryOptions,
  controls: TrainDictionaryControls = {},
): Promise<TrainedDictionary> {
  checkModel("trainDictionary", model);
  checkOptions("trainDictionary", options, OPTIONS);
  checkOptions("trainDictionary's controls", controls, CONTROLS);
  const settled = settle(options, DICTIONARY_OPTIONS, { model });
  const reads = tokenPoint(model, options.at);
  const transcoder = options.makes !== undefined;
  const makes = transcoder ? tokenPoint(model, options.makes) : reads;
  const { kind, dSae } = settled as { kind: TrainingKindName; dSae: number };
  const isZ = reads.name.endsWith("hook_z") && !transcoder;
  const cfg = configWhileTrained({
    ...{ kind, dIn: reads.width, dOut: makes.width, dSae, transcoder, skip: options.skip },
    ...{ hookName: reads.name, hookNameOut: transcoder ? makes.name : null },
    ...{ modelName: model.cfg.modelName, reshapeActivations: isZ ? "hook_z" : "none" },
    applyBDecToInput: options.applyBDecToInput ?? !transcoder,
    metadata: options.metadata ?? {},
    k: settled.k ?? null,
  });
  const settings = lossSettings(settled, widthsOf(options.matryoshkaWidths, kind, dSae));
  const { result, ...rest } = await trained({
    ...{ model, settled, options, controls, reads: [reads.name], makes: [makes.name] },
    trainee: oneDictionary({ kind, cfg, settings }),
  });
  return { dictionary: result, ...rest };
}

/** @throws ArgumentError for widths that do not rise, or of another kind than has any */
function widthsOf(given: readonly number[] | undefined, kind: TrainingKindName, dSae: number): readonly number[] {
  if (given === undefined) return [8, 4, 2].map((part) => Math.ceil(dSae / part));
  if (kind !== "matryoshka_batchtopk") {
    throw new ArgumentError(`matryoshkaWidths only applies with kind: "matryoshka_batchtopk": leave it out.`, {
      asked: given,
      found: kind,
    });
  }
  if (given.every((width, i) => width > (given[i - 1] ?? 0) && width <= dSae)) return given;
  throw new ArgumentError(`matryoshkaWidths must rise, up to the ${dSae} features, but are ${given.join(", ")}.`, {
    asked: given,
    found: dSae,
  });
}
