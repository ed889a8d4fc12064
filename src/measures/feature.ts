/** What makes a feature of a dictionary fire, what it writes, and what is near it. */
import { quantileSorted } from "simple-statistics";
import type { Dictionary } from "../dictionaries/dictionary.ts";
import type { HookedTransformer } from "../lens/hooked-transformer.ts";
import { checkWhole } from "../options/checks.ts";
import { DICTIONARY_OPTIONS, dictionaryOf } from "./dictionary/open.ts";
import { type NearFeatureRow, nearestRows } from "./feature/nearest.ts";
import { type BehindNeuronRow, type FeatureOnTextRow, FeatureReader } from "./feature/reader.ts";
import { type ContextRow, type ExampleRow, examplesOf } from "./in-text/examples.ts";
import { batches, piecesOf } from "./in-text/pieces.ts";
import { Measured } from "./measured.ts";
import { type AnalysisOptions, type GivenOptions, seedOption, settled } from "./options.ts";
import { PASSAGE, PASSAGE_NAME } from "./passage.ts";
import { tokenTexts } from "./prompt.ts";
import type { WrittenTokens } from "./written-tokens.ts";

/** The options of `measureFeature` and `feature`. */
export type FeatureOptions = GivenOptions<typeof FEATURE_OPTIONS>;

export const FEATURE_OPTIONS = {
  feature: {
    type: "integer",
    placeholder: "N",
    description: "the feature",
    defaultText:
      "the one that writes most at any one place, of those that fire at 5 or more tokens of the text and at no more than 5 % of them",
    least: 0,
  },
  ...DICTIONARY_OPTIONS,
  text: { type: "file", description: "a text file to look for examples in", defaultText: PASSAGE_NAME },
  top: {
    type: "integer",
    placeholder: "K",
    description: "how many tokens, examples and neighbours",
    default: 10,
    least: 1,
    most: ({ cfg }) => Math.floor(cfg.dVocabOut / 2),
  },
  around: {
    type: "integer",
    placeholder: "N",
    description: "tokens to show on each side of an example",
    default: 12,
    least: 0,
  },
  seed: seedOption("the random features"),
} as const satisfies AnalysisOptions;

const DEFAULT_TEXT = { name: PASSAGE_NAME, text: PASSAGE };
/** Of features that fire more rarely there is little to see, and of those that fire more often, too. */
const [LEAST, RARE] = [5, 0.05];

/** A token of the text and the feature's activation at it. */
export interface FeatureTokenRow {
  /** The position among the text's tokens. */
  readonly pos: number;
  readonly token: string;
  readonly activation: number;
}

/** The result of `measureFeature`: a row for each token of the text. */
export interface FeatureMeasurement extends Measured<FeatureTokenRow> {
  readonly text: string;
  /** The dictionary's name, and the hook point that it stands at. */
  readonly dictionary: string;
  readonly hook: string;
  readonly feature: number;
  /** The share of tokens at which it fires. */
  readonly density: number;
  /** Of its activations where it fires: the smallest, the quartiles, and the largest; null if it never does. */
  readonly quantiles: readonly number[] | null;
  /** Where it fires most strongly; no two overlap. */
  readonly examples: Measured<ExampleRow>;
  /** The examples, token by token. */
  readonly contexts: Measured<ContextRow>;
  /** What one unit of activation adds to logits on the direct path; null where the dictionary does not stand in the residual stream's space. */
  readonly writes: WrittenTokens | null;
  /** The features whose decoder rows point most in the same direction. */
  readonly nearest: Measured<NearFeatureRow>;
  /** The neurons that make it fire, the strongest first: none unless it reads what an MLP writes. */
  readonly neurons: Measured<BehindNeuronRow>;
  /** What all neurons add together; null where none are behind it. */
  readonly read: number | null;
  /** Every feature of the dictionary. */
  readonly features: Measured<FeatureOnTextRow>;
}

/**
 * A feature from both ends: the tokens that it promotes and suppresses, the places in a text where it fires, the features that write the
 * like, and the neurons behind it. BOS is left out.
 * @throws ArgumentError without a dictionary, for one that does not fit, or a feature that does not exist; InputError for a text without tokens
 */
export async function measureFeature(
  model: HookedTransformer,
  options: FeatureOptions = {},
): Promise<FeatureMeasurement> {
  const of = "measureFeature";
  const asked = settled(of, model, options, FEATURE_OPTIONS);
  const dictionary = await dictionaryOf(of, model, asked);
  if (asked.feature !== undefined) checkWhole("feature", asked.feature, 0, dictionary.dSae - 1);
  return featureOf(model, dictionary, asked);
}

type Asked = Pick<FeatureOptions, "signal" | "onProgress"> & {
  readonly feature?: number | undefined;
  readonly text?: { readonly name: string; readonly text: string } | undefined;
  readonly top: number;
  readonly around: number;
  readonly seed: number;
};

async function featureOf(model: HookedTransformer, dictionary: Dictionary, asked: Asked): Promise<FeatureMeasurement> {
  const { text = DEFAULT_TEXT, top, around, seed, signal, onProgress } = asked;
  const reader = new FeatureReader(model, dictionary);
  const pieces = piecesOf(model, text.text);
  const ids = pieces.flat();
  const total = (asked.feature === undefined ? 2 : 1) * ids.length;
  let done = 0;
  const read = async (feature: number | undefined) => {
    for (const { input, skip, tokens } of batches(model, pieces, dictionary.dSae)) {
      await reader.read(input, { skip, feature, signal });
      done += tokens;
      onProgress?.({ done, total, unit: "tokens" });
    }
  };
  if (asked.feature === undefined) await read(undefined);
  const feature = asked.feature ?? reader.loudest(LEAST, RARE * ids.length);
  reader.clear();
  await read(feature);

  const written = await reader.written(feature, { top, seed, signal });
  const texts = tokenTexts(model, ids);
  const rows = reader.activations.map((activation, pos): FeatureTokenRow => ({ pos, token: texts[pos], activation }));
  const firing = reader.activations.filter((x) => x > 0).sort((a, b) => a - b);
  const behind = await reader.neuronsBehind(feature, firing.length, { top, signal });
  const effects = written?.effects;
  const { examples, contexts } = examplesOf(model, ids, rows, Math.min(top, firing.length), around, (id) =>
    effects ? effects[id] : null,
  );
  return Measured.of(rows, {
    ...{ text: text.name, dictionary: dictionary.name, hook: reader.hook, feature },
    density: firing.length / ids.length,
    quantiles: firing.length > 0 ? [0, 0.25, 0.5, 0.75, 1].map((q) => quantileSorted(firing, q)) : null,
    ...{ examples, contexts, writes: written?.found ?? null },
    nearest: new Measured(await nearestRows(model, dictionary, feature, { top, signal })),
    ...{ neurons: new Measured(behind.rows), read: behind.sum },
    features: new Measured(reader.rows(ids.length)),
  });
}
