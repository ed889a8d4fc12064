/** Trains transcoders across layers on a model's activations. */
import type { TranscoderSet } from "../../dictionaries/transcoder-set.ts";
import { checkModel } from "../../lens/check.ts";
import type { HookedTransformer } from "../../lens/hooked-transformer.ts";
import { settle } from "../../options/settle.ts";
import { ArgumentError } from "../../tensor/errors.ts";
import { TEXT } from "../../tensor/kinds.ts";
import { checkOptions, type OptionKinds } from "../../tensor/options.ts";
import { shown } from "../../tensor/show.ts";
import { listed } from "../../tensor/words.ts";
import { configWhileTrained } from "./config.ts";
import { crossLayer } from "./cross-layer.ts";
import { TRAINING_KINDS, type TrainingKindName } from "./kinds.ts";
import { DICTIONARY_OPTIONS } from "./options.ts";
import { tokenPoint, trained } from "./run.ts";
import {
  CONTROLS,
  type DictionaryRunOptions,
  lossSettings,
  RUN_OPTIONS,
  type TrainDictionaryControls,
} from "./run-options.ts";

/** What transcoders across layers are trained on, and how. `dSae` is of each layer. They are saved in circuit-tracer's format. */
export interface TrainCrossLayerOptions extends DictionaryRunOptions {
  /** The hook point that they read in every block, by its name within one. Default: `hook_resid_mid`. */
  readonly at?: string | undefined;
  /** The hook point that they make in every block. Default: `hook_mlp_out`. */
  readonly makes?: string | undefined;
}

/** What a run gives. */
export interface TrainedCrossLayer {
  readonly set: TranscoderSet;
  /** The measures of each step, from the first one on. */
  readonly history: readonly Readonly<Record<string, number>>[];
  /** The last checkpoint. */
  readonly checkpoint: string | undefined;
}

/** What circuit-tracer's transcoders read and make, within a block. */
export const CROSS_LAYER_HOOKS = { at: "hook_resid_mid", makes: "hook_mlp_out" } as const;

const OPTIONS: OptionKinds<TrainCrossLayerOptions> = { ...RUN_OPTIONS, at: TEXT, makes: TEXT };

/**
 * Trains transcoders of all of a model's layers together: the features of a layer write to that layer's MLP output and to that of every
 * later one, `ŷ_m = Σ_{l ≤ m} f_l W_dec_{l→m} + b_dec_m`. The loss is `Σ_m Σ_d (ŷ_m - y_m)²`, the mean over tokens, plus what the kind, `standard` or
 * `jumprelu`, adds for the features of each layer. The same seed gives the same set.
 * @throws ArgumentError for a kind that cannot go across layers, hook points of other widths, and what `trainDictionary` refuses
 * Source: Ameisen et al. 2025, "Circuit Tracing: Revealing Computational Graphs in Language Models"; the terms are SAELens'.
 */
export async function trainCrossLayerTranscoder(
  model: HookedTransformer,
  options: TrainCrossLayerOptions,
  controls: TrainDictionaryControls = {},
): Promise<TrainedCrossLayer> {
  checkModel("trainCrossLayerTranscoder", model);
  checkOptions("trainCrossLayerTranscoder", options, OPTIONS);
  checkOptions("trainCrossLayerTranscoder's controls", controls, CONTROLS);
  const settled = settle(options, DICTIONARY_OPTIONS, { model });
  const { kind, dSae } = settled as { kind: TrainingKindName; dSae: number };
  if (TRAINING_KINDS[kind].decodes) {
    const can = Object.entries(TRAINING_KINDS).filter(([, { decodes }]) => !decodes);
    throw new ArgumentError(
      `Transcoders across layers cannot be of kind ${shown(kind)}: ${listed(can.map(([name]) => `"${name}"`))} can.`,
      { asked: kind, found: can.map(([name]) => name) },
    );
  }
  const { at, makes } = { ...CROSS_LAYER_HOOKS, ...definedOf(options) };
  const layers = Array.from({ length: model.cfg.nLayers }, (_, layer) => layer);
  const places = (name: string) => layers.map((layer) => placeOf(model, name, layer));
  const [reads, writes] = [places(at), places(makes)];
  const cfg = configWhileTrained({
    ...{ kind, dIn: model.cfg.dModel, dOut: model.cfg.dModel, dSae, transcoder: true, applyBDecToInput: false },
    ...{ hookName: at, hookNameOut: makes, modelName: model.cfg.modelName },
  });
  const { result, ...rest } = await trained({
    ...{ model, settled, options, controls, reads, makes: writes },
    trainee: crossLayer({ kind, cfg, settings: lossSettings(settled), layers: layers.length }),
  });
  return { set: result, ...rest };
}

const definedOf = ({ at, makes }: TrainCrossLayerOptions) => ({
  ...(at === undefined ? {} : { at }),
  ...(makes === undefined ? {} : { makes }),
});

/** A block's hook point. @throws ArgumentError for one that is of one block already, or not of the model's width */
function placeOf(model: HookedTransformer, name: string, layer: number): string {
  if (/^blocks\.\d/.test(name)) {
    const within = name.replace(/^blocks\.\d+\./, "");
    throw new ArgumentError(
      `Transcoders across layers read and make a hook point of every block: say ${shown(within)}, not ${shown(name)}.`,
      { asked: name, nearest: within },
    );
  }
  const place = tokenPoint(model, `blocks.${layer}.${name}`);
  const { dModel } = model.cfg;
  if (place.width === dModel) return place.name;
  throw new ArgumentError(
    `Transcoders across layers read and make what is as wide as the model, ${dModel}, but ${place.name} has ${place.width} numbers for a token.`,
    { asked: name, found: place.width },
  );
}
