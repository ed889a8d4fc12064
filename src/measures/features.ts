/** Which features of a dictionary fire at a prompt's tokens, what each writes to the logits, and what it costs to remove it. */
import type { Dictionary } from "../dictionaries/dictionary.ts";
import { Tensor } from "../graph/tensor.ts";
import type { HookedTransformer } from "../lens/hooked-transformer.ts";
import { needNextToken } from "../lens/model-has.ts";
import { ndarray } from "../tensor/array.ts";
import { DICTIONARY_OPTIONS, dictionaryOf } from "./dictionary/open.ts";
import { forEachPlace } from "./features/cells.ts";
import { type ChosenGroup, chosenPlaces } from "./features/chosen.ts";
import { FeaturePass } from "./features/pass.ts";
import { type FeaturePositionRow, positionRows } from "./features/positions.ts";
import { Measured } from "./measured.ts";
import { type AnalysisOptions, type GivenOptions, seedOption, settled } from "./options.ts";
import { answerToken, type Prompt, readPrompt, tokenText } from "./prompt.ts";

/** The options of `measureFeatures`. */
export type MeasureFeaturesOptions = GivenOptions<typeof FEATURES_OPTIONS>;

export const FEATURES_OPTIONS = {
  prompt: {
    type: "prompt",
    description: "the text whose features are read",
    default: "The lady was so tired that",
  },
  answer: {
    type: "answer",
    description: "the token that comes after the prompt",
    defaultText: "the most probable one",
  },
  ...DICTIONARY_OPTIONS,
  removals: {
    type: "integer",
    placeholder: "N",
    description:
      "how many features are removed, one at a time: if more fire, half of them are those with the largest estimates, the others drawn at random",
    default: 256,
    least: 2,
  },
  seed: seedOption("the features that are drawn at random"),
} as const satisfies AnalysisOptions;

/** A feature that fires at a token. Its numbers are about the token that comes next. */
export interface FeatureAtTokenRow {
  readonly pos: number;
  readonly token: string;
  readonly next: string;
  /** The feature. */
  readonly d_sae: number;
  readonly activation: number;
  /**
   * What it adds to the next token's logit on the direct path, in logits, less what it adds to the mean of all: what it writes, times
   * `W_U[next] − mean W_U`, over the final norm's scale. Null where the dictionary does not stand in the residual stream's space.
   */
  readonly writes: number | null;
  /** `−activation · ∂loss/∂activation`: to first order, what removing it adds to the prompt's loss, in nats. */
  readonly estimated: number;
  /** Why it was removed; null if it was not. */
  readonly group: ChosenGroup | null;
  /** What removing it adds to the prompt's loss, in nats: positive where the feature helps. */
  readonly cost: number | null;
}

/** The result of `measureFeatures`: a row for each feature that fires at a token. BOS is left out. */
export interface FeaturesMeasurement extends Measured<FeatureAtTokenRow> {
  readonly prompt: Prompt;
  /** The dictionary's name, and the hook point that it stands at. */
  readonly dictionary: string;
  readonly hook: string;
  /** How many features the dictionary has. */
  readonly dSae: number;
  /** The prompt's loss: the sum of −log probability over the tokens after its first and the answer, in nats. */
  readonly loss: number;
  readonly positions: Measured<FeaturePositionRow>;
}

/**
 * Features of a prompt. The model computes as without the dictionary (the error term is kept), so that what changes when a feature is
 * removed is that feature's alone. Removing is setting it to 0 at that token; what comes after responds.
 * @throws ArgumentError without a dictionary, or for one that does not fit; InputError for a prompt that is empty or too long, or an answer of several tokens
 */
export async function measureFeatures(
  model: HookedTransformer,
  options: MeasureFeaturesOptions = {},
): Promise<FeaturesMeasurement> {
  const of = "measureFeatures";
  const asked = settled(of, model, options, FEATURES_OPTIONS);
  needNextToken(of, model);
  const prompt = readPrompt(model, asked.prompt);
  const dictionary = await dictionaryOf(of, model, asked);
  return featuresOf(model, dictionary, prompt, asked);
}

/** What is asked of features, beyond the prompt and the dictionary. */
type Asked = Pick<MeasureFeaturesOptions, "answer" | "signal" | "onProgress"> & {
  readonly removals: number;
  readonly seed: number;
};

async function featuresOf(
  model: HookedTransformer,
  dictionary: Dictionary,
  prompt: Prompt,
  { answer, removals, seed, signal, onProgress }: Asked,
): Promise<FeaturesMeasurement> {
  const view = model.withDictionaries(dictionary, { useErrorTerm: true });
  const target = answer === undefined ? await mostProbable(model, prompt, signal) : answerToken(model, answer);
  const targets = [...prompt.ids.slice(1), target];
  const pass = new FeaturePass(view, dictionary, prompt, targets);
  const found = await pass.read(signal);
  const from = prompt.startsWithBos ? 1 : 0;
  const places = found.firing(from);
  const chosen = chosenPlaces(places, removals, seed);
  const groups = new Map(chosen.map(({ place, group }) => [place, group]));
  const losses = await forEachPlace(view, [...groups.keys()], (some) => pass.removed(some), {
    ...{ unit: "features", signal, onProgress },
  });
  const nexts = targets.map((id, pos) => prompt.tokens[pos + 1] ?? tokenText(model, id));
  const rows = places.map((place): FeatureAtTokenRow => {
    const { pos, d_sae, activation, writes, estimated } = place;
    const without = losses.get(place);
    return {
      ...{ pos, token: prompt.tokens[pos], next: nexts[pos], d_sae, activation, writes, estimated },
      ...{ group: groups.get(place) ?? null, cost: without === undefined ? null : without - found.loss },
    };
  });
  return Measured.of(rows, {
    ...{ prompt, dictionary: dictionary.name, hook: pass.at, dSae: dictionary.dSae, loss: found.loss },
    positions: new Measured(positionRows(found, { from, tokens: prompt.tokens, nexts })),
  });
}

async function mostProbable(
  model: HookedTransformer,
  prompt: Prompt,
  signal: AbortSignal | undefined,
): Promise<number> {
  const input = Tensor.leaf(ndarray("int32", [1, prompt.ids.length], Int32Array.from(prompt.ids)), ["batch", "pos"]);
  const last = model.graph(input).output.at({ batch: 0, pos: -1 });
  const [best] = await model.compute([last.argmax(-1)], { signal });
  return best.item();
}
