/** What a model predicts with features held at other values: the check of what an attribution graph says. */
import { TranscoderSet } from "../dictionaries/transcoder-set.ts";
import { Tensor } from "../graph/tensor.ts";
import type { Model } from "../lens/model.ts";
import { ArgumentError } from "../tensor/errors.ts";
import { either, FLAG, type Kind, listOf, NOT_NEGATIVE_WHOLE, OBJECT, oneOf } from "../tensor/kinds.ts";
import type { OptionKinds } from "../tensor/options.ts";
import { shown } from "../tensor/show.ts";
import type { FeatureChange } from "./attribution-graph/features.ts";
import { changedRun, type Held } from "./attribution-graph/interventions.ts";
import { neuronKind } from "./attribution-graph/neurons.ts";
import { traceRun } from "./attribution-graph/trace.ts";
import { transcoderKind } from "./attribution-graph/transcoders.ts";
import { type AnalysisOptions, type GivenOptions, settled } from "./options.ts";
import { readPrompt } from "./prompt.ts";

export type { FeatureChange } from "./attribution-graph/features.ts";

/** A feature that is held at a value, at one position or at those from `start` to before `end`; without an end, to the prompt's last one. */
export interface FeatureIntervention extends Omit<FeatureChange, "pos"> {
  readonly pos: number | { readonly start: number; readonly end?: number | undefined };
}

/** The result of `featureIntervention`. */
export interface FeatureInterventionResult {
  /** [pos d_vocab] */
  readonly logits: Tensor;
  /** What features read in the changed run, before their activation function, [layer pos feature]. */
  readonly preActivations: Tensor;
}

const OPTIONS = {
  prompt: { type: "prompt", description: "the text that the model runs on", default: "The lady was so tired that" },
} as const satisfies AnalysisOptions;

/** What only code can give. */
interface Given extends Held {
  /** Features and the values that they are held at; of two for one feature the last counts. */
  readonly interventions?: readonly FeatureIntervention[] | undefined;
  /** The transcoders whose features are changed. Default: none, and neurons are. */
  readonly transcoders?: TranscoderSet | undefined;
  /** Whether BOS is put in front of a text. */
  readonly prependBos?: boolean | undefined;
}

/** Options that have a set of transcoders. */
export const SET: Kind = { accepts: (v) => v instanceof TranscoderSet, describe: "a TranscoderSet" };

const GIVEN: OptionKinds<Given> = {
  interventions: listOf(OBJECT, "objects: { layer, pos, feature, value }"),
  transcoders: SET,
  prependBos: FLAG,
  constrainedLayers: either(oneOf(["all"]), listOf(NOT_NEGATIVE_WHOLE, "layers")),
  freezeAttention: FLAG,
};

/** The options of `featureIntervention`. */
export type FeatureInterventionOptions = GivenOptions<typeof OPTIONS> & Given;

/**
 * Runs a model on a prompt with features held at other values. What a feature writes changes by its new value less its activation, times its decoder's
 * row (a neuron's, its row of W_out); the model's own MLPs run.
 *
 * With `constrainedLayers: "all"` patterns, norms' denominators and MLPs are held, and logits change exactly as the edges of an attribution graph
 * say; with some layers, patterns and these layers' MLPs are, and changes reach these layers alone. Otherwise patterns are held, and with
 * `freezeAttention: false` nothing is.
 *
 * Source: circuit-tracer's `feature_intervention`.
 * @throws ArgumentError for a feature, position or layer that does not exist; InputError for a prompt that does not fit
 */
export async function featureIntervention(
  model: Model,
  options: FeatureInterventionOptions = {},
): Promise<FeatureInterventionResult> {
  const of = "featureIntervention";
  const asked = settled(of, model, options, OPTIONS, GIVEN);
  const { transcoders, interventions = [], constrainedLayers, freezeAttention, signal } = asked;
  const prompt = readPrompt(model, asked.prompt, { prependBos: asked.prependBos });
  const changes = interventions.flatMap((change) => eachPosition(checked(change), prompt.ids.length));
  const kind = transcoders ? transcoderKind(of, model, transcoders, signal) : neuronKind(of, model);
  const run = await traceRun(of, model, prompt, kind, { maxNLogits: 1, desiredLogitProb: 1 }, signal);
  await run.features.prepare(changes);
  const { logits, preActivations } = changedRun(run, changes, { constrainedLayers, freezeAttention });
  const stacked = Tensor.apply(
    "concat",
    preActivations.map((x) => x.rename({ batch: "layer" })),
    { axis: -3 },
  );
  const [found, read] = await model.compute([logits, stacked], { signal });
  return { logits: found.row(0), preActivations: read };
}

/** @throws ArgumentError for a value that is not a number */
function checked(change: FeatureIntervention): FeatureIntervention {
  if (typeof change.value === "number" && Number.isFinite(change.value)) return change;
  throw new ArgumentError(
    `An intervention holds a feature at a number, { layer, pos, feature, value }, but its value is ${shown(change.value)}.`,
    { asked: change },
  );
}

/** The change at each of its positions. @throws ArgumentError for a range that is not within the prompt */
function eachPosition({ pos, ...change }: FeatureIntervention, length: number): FeatureChange[] {
  if (typeof pos !== "object" || pos === null) return [{ ...change, pos }];
  const { start, end = length } = pos;
  if (Number.isInteger(start) && Number.isInteger(end) && 0 <= start && start < end && end <= length) {
    return Array.from({ length: end - start }, (_, i) => ({ ...change, pos: start + i }));
  }
  throw new ArgumentError(
    `An intervention's positions go from 0 to at most the prompt's ${length}, { start, end } with start before end, but are ${shown(pos)}.`,
    { asked: pos, found: length },
  );
}
