/** Options of measures and analyses: records (`src/options/`), to which a signal and a listener are added. */

import { checkModel } from "../lens/check.ts";
import type { Model } from "../lens/model.ts";
import { needOneStack } from "../lens/model-has.ts";
import type { HasSizes, OptionRecords } from "../options/records.ts";
import { checkGiven, type Given, type Settled, settle } from "../options/settle.ts";
import { ArgumentError } from "../tensor/errors.ts";
import { FUNCTION, SIGNAL } from "../tensor/kinds.ts";
import type { OptionKinds } from "../tensor/options.ts";
import type { OnProgress } from "../tensor/progress.ts";

/** Options by name, each a record. */
export type AnalysisOptions = OptionRecords;

/** What every analysis also receives when it runs. */
export interface AnalysisContext {
  readonly signal?: AbortSignal | undefined;
  /** Called as the work goes on. */
  readonly onProgress?: OnProgress | undefined;
}

/** What a caller may give: any of the options, and a signal and a listener. */
export type GivenOptions<O extends OptionRecords = OptionRecords> = Given<O> & AnalysisContext;

/** The value of each option, with defaults filled in and layers counted from 0. */
export type SettledOptions<O extends OptionRecords> = Settled<O> & AnalysisContext;

/** The options that every analysis takes. */
const CONTEXT = { signal: SIGNAL, onProgress: FUNCTION };

/**
 * Checks the options of a function against their records, and fills in defaults.
 * @param of the function's name, for errors
 * @param more options that have no record, because only code can give them: functions, tensors, any input
 * @throws ArgumentError for something that is not a model, an encoder-decoder, a model with hooks of its own, an option that does not exist or does not apply, or a
 * value of another kind or out of range
 */
export function settled<const O extends OptionRecords, M extends object = object>(
  of: string,
  model: Model,
  given: GivenOptions<O> & M,
  options: O,
  more?: OptionKinds<M>,
): SettledOptions<O> & M {
  checkModel(of, model);
  needOneStack(of, model);
  needNoHooks(of, model);
  checkGiven(of, given, options, { ...more, ...CONTEXT });
  const values = given as Readonly<Record<string, unknown>>;
  const others = Object.keys(more ?? {}).map((name) => [name, values[name]]);
  return {
    ...settle(given as Given<O>, options, { model }),
    ...Object.fromEntries(others),
    ...{ signal: given.signal, onProgress: given.onProgress },
  } as SettledOptions<O> & M;
}

/** @throws ArgumentError for a model with hooks: passes as graphs, which measures make, do not contain them */
export function needNoHooks(of: string, model: Model): void {
  if (!("isHooked" in model && model.isHooked)) return;
  throw new ArgumentError(
    `${of} makes passes of its own, which the hooks of a model are not part of, and this model has some: remove them with resetHooks(), or put the change in with changedModel(…) or model.splice(…).`,
    { asked: of },
  );
}

// Options that several analyses have.

/** @param of what it is the seed of: "the random tokens" */
export function seedOption(of = "everything random") {
  return { type: "integer", placeholder: "N", description: `seed of ${of}`, default: 0, least: 0 } as const;
}

/** @param what of which the largest are listed: "edges" */
export function topOption(what: string) {
  return { type: "integer", placeholder: "K", description: `how many ${what} to list`, default: 10, least: 1 } as const;
}

/** How many of a model's heads, or of its neurons, are listed. */
export function topOf(what: "heads" | "neurons") {
  const most = ({ cfg }: HasSizes) => cfg.nLayers * ((what === "heads" ? cfg.nHeads : cfg.dMlp) ?? 1);
  return { ...topOption(what), most } as const;
}

/** The last layer by default. @param description what the layer is for */
export function layerOption(description = "the layer, from 0; negative counts from the end") {
  return { type: "layer", placeholder: "L", description, default: -1, defaultText: "the last" } as const;
}

/** How much memory the values of a run may take. */
export function memoryOption() {
  const description = "the most bytes that the values of a run may take";
  const defaultText = "128 MB, or half of the free memory if that is less";
  return { type: "number", above: 0, inCode: true, description, defaultText } as const;
}
