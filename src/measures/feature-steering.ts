/** What a model predicts, and writes, while a feature of a dictionary is held at a value. */
import { median } from "simple-statistics";
import type { Dictionary } from "../dictionaries/dictionary.ts";
import type { HookedTransformer } from "../lens/hooked-transformer.ts";
import { needNextToken } from "../lens/model-has.ts";
import { checkWhole } from "../options/checks.ts";
import { ArgumentError } from "../tensor/errors.ts";
import { DICTIONARY_OPTIONS, dictionaryOf } from "./dictionary/open.ts";
import { placeIn } from "./dictionary/place.ts";
import { type HeldFeature, HeldRuns } from "./feature-steering/held.ts";
import { Measured } from "./measured.ts";
import { type AnalysisOptions, type GivenOptions, seedOption, settled } from "./options.ts";
import { type Prompt, readPrompt, tokenText, tokenTexts } from "./prompt.ts";
import { Random } from "./statistics/random.ts";

/** The options of `measureFeatureSteering`. */
export type MeasureFeatureSteeringOptions = GivenOptions<typeof FEATURE_STEERING_OPTIONS>;

export const FEATURE_STEERING_OPTIONS = {
  prompt: { type: "prompt", description: "the text that is continued", default: "The lady was so tired that" },
  feature: {
    type: "integer",
    placeholder: "N",
    description: "the feature that is held",
    defaultText:
      "the one that adds most, its activation times gradient at the prompt's last token, to the log probability of what comes next",
    least: 0,
  },
  ...DICTIONARY_OPTIONS,
  value: {
    type: "number",
    placeholder: "X",
    description: "the largest activation that it is held at",
    defaultText: "4 times its own largest at the prompt; where it does not fire, 4 times the median of those that do",
    above: 0,
  },
  values: {
    type: "integer",
    placeholder: "N",
    description: "at how many activations it is held, evenly from 0 to the largest",
    default: 5,
    least: 2,
  },
  tokens: {
    type: "integer",
    placeholder: "N",
    description: "how many tokens are written at each",
    default: 16,
    least: 1,
  },
  random: {
    type: "integer",
    placeholder: "N",
    description: "how many random features to compare with",
    default: 16,
    least: 1,
  },
  seed: seedOption("the random features"),
} as const satisfies AnalysisOptions;

/** A run of the prompt with the feature held, or as it is. */
export interface SteeredRow {
  /** The activation that the feature is held at, from the first token after BOS on; null in the run as it is. */
  readonly held: number | null;
  /** The most probable next token, and its probability. */
  readonly next: string;
  readonly probability: number;
  /** How far the next token's distribution is from that of the run as it is: `Σ p log(p / q)`, in nats. */
  readonly divergence: number;
  /** The same where a random feature is held so that it writes as much: the median; null in a dictionary without another feature. */
  readonly random: number | null;
  /** What the model writes: the most probable token after each. */
  readonly text: string;
  /** −log probability of a token of that text in the model as it is, the mean, in nats: what it would say of the text itself. */
  readonly surprise: number;
}

/** A random feature that is held in place of the feature. */
export interface SteeredControlRow {
  /** The feature. */
  readonly d_sae: number;
  readonly held: number;
  /** How far it moves the next token's distribution, in nats. */
  readonly divergence: number;
}

/** A token's probability after the prompt, in the run as it is and with the feature held at the largest value. */
export interface SteeredTokenRow {
  readonly token: string;
  readonly before: number;
  readonly after: number;
}

/** The result of `measureFeatureSteering`: a row for the run as it is, then one for each value. */
export interface FeatureSteeringMeasurement extends Measured<SteeredRow> {
  readonly prompt: Prompt;
  /** The dictionary's name, and the hook point that it stands at. */
  readonly dictionary: string;
  readonly hook: string;
  readonly feature: number;
  /** Its largest activation at the prompt, BOS left out. */
  readonly largest: number;
  /** The random features, held so that they write as much as the feature does at the largest value. */
  readonly controls: Measured<SteeredControlRow>;
  /** Every token. */
  readonly tokens: Measured<SteeredTokenRow>;
}

/** How many times a feature's own largest activation is the largest value. */
const TIMES = 4;

/**
 * Steering with a feature: the model runs with the dictionary in place and its error kept, so that all that changes is that the feature has
 * another activation at every token but BOS, while the prompt is read and while text is written (greedily). A random feature is held at
 * the value at which it writes a vector of the same norm.
 * @throws ArgumentError without a dictionary, for one that does not fit, or a feature that does not exist; InputError for a prompt that is empty, or too long with
 * what is written
 */
export async function measureFeatureSteering(
  model: HookedTransformer,
  options: MeasureFeatureSteeringOptions = {},
): Promise<FeatureSteeringMeasurement> {
  const of = "measureFeatureSteering";
  const asked = settled(of, model, options, FEATURE_STEERING_OPTIONS);
  needNextToken(of, model);
  const prompt = readPrompt(model, asked.prompt, { room: asked.tokens });
  const dictionary = await dictionaryOf(of, model, asked);
  if (asked.feature !== undefined) checkWhole("feature", asked.feature, 0, dictionary.dSae - 1);
  return steered(model, dictionary, prompt, asked);
}

type Asked = Pick<MeasureFeatureSteeringOptions, "feature" | "value" | "signal" | "onProgress"> & {
  readonly values: number;
  readonly tokens: number;
  readonly random: number;
  readonly seed: number;
};

async function steered(
  model: HookedTransformer,
  dictionary: Dictionary,
  prompt: Prompt,
  asked: Asked,
): Promise<FeatureSteeringMeasurement> {
  const { signal, onProgress } = asked;
  const { at } = placeIn(dictionary, model);
  const view = model.withDictionaries(dictionary, { useErrorTerm: true });
  const runs = new HeldRuns(view, prompt, `${at}.hook_sae_acts_post`, dictionary.dSae);
  const { feature, largest, value } = chosen(await runs.features(signal), prompt, asked);
  const values = Array.from({ length: asked.values }, (_, i) => (value * i) / (asked.values - 1));
  const others = randomFeatures(dictionary, feature, asked);
  const held: HeldFeature[] = [undefined, ...values.map((at) => ({ feature, value: at }))];
  const controls = values.flatMap((at) => others.map((other) => ({ feature: other.feature, value: at * other.times })));
  let done = 0;
  const total = 3;
  const step = async <T>(work: Promise<T>): Promise<T> => {
    const result = await work;
    done++;
    onProgress?.({ done, total, unit: "steps" });
    return result;
  };
  const own = await step(runs.next(held, signal));
  const random = controls.length > 0 ? (await step(runs.next(controls, signal))).divergences.data : [];
  const written = await step(runs.continued(held, asked.tokens, signal));
  const losses = await model.forward(written, { returnType: "loss", lossPerToken: true, signal });
  const vocab = model.cfg.dVocabOut;
  const probabilities = (run: number) =>
    (own.logProbs.data as Float32Array).slice(run * vocab, (run + 1) * vocab).map(Math.exp);
  const [before, after] = [probabilities(0), probabilities(held.length - 1)];
  const count = others.length;
  const perValue = (i: number) => [...random.slice(i * count, (i + 1) * count)];
  const typical = (run: number) => (count === 0 ? null : run === 0 ? 0 : median(perValue(run - 1)));
  const rows = held.map((one, run): SteeredRow => {
    const all = probabilities(run);
    const best = all.reduce((most, p, id) => (p > all[most] ? id : most), 0);
    const [length] = written.shape.slice(1);
    const ids = [...written.data.slice(run * length + prompt.ids.length, (run + 1) * length)];
    const lost = [...losses.data.slice(run * (length - 1) + prompt.ids.length - 1, (run + 1) * (length - 1))];
    return {
      ...{ held: one?.value ?? null, next: tokenText(model, best), probability: all[best] },
      ...{ divergence: own.divergences.data[run], random: typical(run) },
      ...{ text: textOf(model, ids), surprise: lost.reduce((a, b) => a + b) / lost.length },
    };
  });
  const tokens = Array.from(before, (p, id): SteeredTokenRow => {
    return { token: tokenText(model, id), before: p, after: after[id] };
  });
  const compared = perValue(values.length - 1).map((divergence, i): SteeredControlRow => {
    const { feature: d_sae, times } = others[i];
    return { d_sae, held: value * times, divergence };
  });
  return Measured.of(rows, {
    ...{ prompt, dictionary: dictionary.name, hook: at, feature, largest },
    ...{ controls: new Measured(compared), tokens: new Measured(tokens) },
  });
}

/** Which feature is held, its largest activation at the prompt, and the largest value. */
function chosen({ acts, slope }: Features, { startsWithBos, ids }: Prompt, { feature: given, value }: Asked) {
  const [, dSae] = acts.shape;
  const last = (ids.length - 1) * dSae;
  const adds = Float64Array.from({ length: dSae }, (_, f) => acts.data[last + f] * slope.data[last + f]);
  const feature = given ?? adds.reduce((best, add, f) => (add > adds[best] ? f : best), 0);
  const from = startsWithBos && ids.length > 1 ? dSae : 0;
  const own = acts.data.filter((_, i) => i >= from && i % dSae === feature);
  const largest = Math.max(0, ...own);
  const firing = [...acts.data.slice(from)].filter((a) => a > 0);
  const usual = largest > 0 ? largest : firing.length > 0 ? median(firing) : 0;
  const most = value ?? TIMES * usual;
  if (most > 0) return { feature, largest, value: most };
  throw new ArgumentError(
    "No feature fires at the prompt, so that none says how large activations are: give the largest value (value; --value).",
    { asked: value },
  );
}

type Features = Awaited<ReturnType<HeldRuns["features"]>>;

/** Random other features that write something, and how many times a value writes as much as the feature's. */
function randomFeatures({ cfg, weights, dSae }: Dictionary, feature: number, { random, seed }: Asked) {
  const { data, shape } = weights.get("W_dec")!;
  const [, width] = shape;
  const norm = (f: number) =>
    cfg.rescaleActsByDecoderNorm ? 1 : Math.hypot(...data.slice(f * width, (f + 1) * width));
  const own = norm(feature);
  const found: { readonly feature: number; readonly times: number }[] = [];
  for (const other of new Random(seed).sample(dSae, dSae)) {
    if (found.length === random) break;
    const its = other === feature ? 0 : norm(other);
    if (its > 0) found.push({ feature: other, times: own / its });
  }
  return found;
}

/** The text of tokens, or without a tokenizer their ids. */
function textOf(model: HookedTransformer, ids: readonly number[]): string {
  return model.text ? model.text.decode(ids) : tokenTexts(model, ids).join(" ");
}
