/** How much of a contrast returns when one feature of a dictionary is what it is in the clean run. */
import type { HookedTransformer } from "../lens/hooked-transformer.ts";
import { answersOptions, type Ends, endsOf, RUNS, type RunsOptions, readRuns, roundedToLogits } from "./contrast.ts";
import { DICTIONARY_OPTIONS, dictionaryOf } from "./dictionary/open.ts";
import { placeIn } from "./dictionary/place.ts";
import { contrastingRuns, PATCHED_PARTS, type PatchedPart } from "./feature-patching/runs.ts";
import { forEachPlace } from "./features/cells.ts";
import { type ChosenGroup, chosenPlaces } from "./features/chosen.ts";
import { Measured } from "./measured.ts";
import { type AnalysisOptions, type GivenOptions, seedOption, settled } from "./options.ts";
import { stages } from "./stages.ts";

/** The options of `measureFeaturePatching` besides two runs. */
export const FEATURE_PATCHING_OPTIONS = {
  ...DICTIONARY_OPTIONS,
  patches: {
    type: "integer",
    placeholder: "N",
    description:
      "how many features are patched, one at a time: if more differ, half of them are those with the largest estimates, the others drawn at random",
    default: 256,
    least: 2,
  },
  seed: seedOption("the features that are drawn at random"),
} as const satisfies AnalysisOptions;

const OPTIONS = { ...answersOptions, ...FEATURE_PATCHING_OPTIONS } as const;

/** The options of `measureFeaturePatching`. */
export type MeasureFeaturePatchingOptions = GivenOptions<typeof OPTIONS> & RunsOptions;

/** A feature at a position that differs between the two runs, and what patching it alone brings back. */
export interface FeaturePatchingRow {
  readonly pos: number;
  /** The feature. */
  readonly d_sae: number;
  /** Its activations in the two runs; of several prompts the mean. */
  readonly clean: number;
  readonly corrupted: number;
  /** `(clean − corrupted) · gradient` at the corrupted run: to first order, how much patching it changes the metric. */
  readonly estimated: number;
  /** Why it was patched; null if it was not. */
  readonly group: ChosenGroup | null;
  /** The change of the metric when it alone is patched, by default in logits; null if it was not. */
  readonly patched: number | null;
  /** The same as a fraction of the distance from the corrupted run (0) to the clean one (1). */
  readonly regained: number | null;
}

/** Several things that are patched at the same time. */
export interface PatchedTogetherRow {
  /** All features, the error term (what the dictionary misses), or the whole hook point. */
  readonly what: PatchedPart;
  /** At one position, or null: at all. */
  readonly pos: number | null;
  readonly estimated: number;
  readonly patched: number;
  readonly regained: number;
}

/** The result of `measureFeaturePatching`: a row for each feature at each position where the two runs differ. */
export interface FeaturePatchingMeasurement extends Measured<FeaturePatchingRow>, Ends {
  /** The dictionary's name, and the hook point that it stands at. */
  readonly dictionary: string;
  readonly hook: string;
  /** How many features the dictionary has. */
  readonly dSae: number;
  /** All features, the error and the whole hook point: at all positions together, and at each where the hook point differs. */
  readonly together: Measured<PatchedTogetherRow>;
}

/**
 * Activation patching of single features. The corrupted input runs with the dictionary in place and its error term kept, so that nothing changes
 * until a feature does; then one feature at one position is set to its activation in the clean run, and the metric is measured. Next to it
 * stands what its gradient says. Several prompts are patched at the same place.
 *
 * Source: Marks et al. 2024 (arxiv.org/abs/2403.19647).
 * @throws InputError for prompts of different lengths, answers of several tokens, or a model that does not distinguish the prompts;
 * ArgumentError without a dictionary, or for one that does not fit
 */
export async function measureFeaturePatching(
  model: HookedTransformer,
  options: MeasureFeaturePatchingOptions = {},
): Promise<FeaturePatchingMeasurement> {
  const of = "measureFeaturePatching";
  const { dictionary: name, dictionaryId, patches, seed, ...asked } = settled(of, model, options, OPTIONS, RUNS);
  const { signal, onProgress, ...given } = asked;
  const inputs = await readRuns(of, model, given, signal);
  const dictionary = await dictionaryOf(of, model, { dictionary: name, dictionaryId, signal });
  const view = model.withDictionaries(dictionary, { useErrorTerm: true });
  const hook = placeIn(dictionary, model).at;
  const ends = await endsOf(model, inputs, signal);
  const runs = await contrastingRuns(view, hook, inputs, signal);
  const places = runs.features;
  const groups = new Map(chosenPlaces(places, patches, seed).map(({ place, group }) => [place, group]));
  const cells = [null, ...runs.positions];
  const totals = [groups.size, ...PATCHED_PARTS.map(() => cells.length)];
  const [ofFeatures, ...ofParts] = stages(onProgress, totals, "patches").map((onProgress) => {
    return { unit: "patches", signal, onProgress };
  });
  const metrics = await forEachPlace(view, [...groups.keys()], (some) => runs.withFeatures(some), ofFeatures);

  const change = (metric: number) => roundedToLogits(metric - runs.metric);
  const share = (metric: number) => ends.normalized(ends.corruptedMetric + metric - runs.metric);
  const rows = places.map((place): FeaturePatchingRow => {
    const metric = metrics.get(place);
    const measured =
      metric === undefined ? { patched: null, regained: null } : { patched: change(metric), regained: share(metric) };
    return { ...place, group: groups.get(place) ?? null, ...measured };
  });
  const positionsOf = (pos: number | null) => (pos === null ? runs.positions : [pos]);
  const together: PatchedTogetherRow[] = [];
  for (const [i, what] of PATCHED_PARTS.entries()) {
    const some = (cells: readonly (number | null)[]) => runs.withPart(what, cells.map(positionsOf));
    for (const [pos, metric] of await forEachPlace(view, cells, some, ofParts[i])) {
      const estimated = runs.estimate(what, positionsOf(pos));
      together.push({ what, pos, estimated, patched: change(metric), regained: share(metric) });
    }
  }
  return Measured.of(rows, {
    ...{ dictionary: dictionary.name, hook, dSae: dictionary.dSae, ...ends },
    together: new Measured(together),
  });
}
