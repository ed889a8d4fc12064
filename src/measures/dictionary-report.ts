/** How good a dictionary is: how sparse, how much it explains, and what it costs the model to compute with what it makes. */
import { Tensor } from "../graph/tensor.ts";
import type { HookedTransformer } from "../lens/hooked-transformer.ts";
import { needNextToken } from "../lens/model-has.ts";
import type { ModelInput } from "../lens/tokens.ts";
import type { FileText } from "../options/records.ts";
import { ndarray } from "../tensor/array.ts";
import { InputError } from "../tensor/errors.ts";
import { ANYTHING, listOf, POSITIVE, WHOLE } from "../tensor/kinds.ts";
import type { OptionKinds } from "../tensor/options.ts";
import { DICTIONARY_OPTIONS, dictionaryOf } from "./dictionary/open.ts";
import { type FeatureRow, featureRows } from "./dictionary-report/features.ts";
import { type AtToken, type DictionaryNumbers, numbersOf } from "./dictionary-report/numbers.ts";
import {
  AT_TOKENS,
  DictionaryPasses,
  type DictionaryRun,
  type FeatureNumbers,
  RUNS,
  type Texts,
  type TokenNumbers,
} from "./dictionary-report/passes.ts";
import { passBytes, rowsThatFit } from "./in-parts.ts";
import { bosOf, piecesOf } from "./in-text/pieces.ts";
import { Measured } from "./measured.ts";
import { type AnalysisOptions, type GivenOptions, settled } from "./options.ts";
import { PASSAGE, PASSAGE_NAME } from "./passage.ts";

export const DICTIONARY_REPORT_OPTIONS = {
  ...DICTIONARY_OPTIONS,
  text: { type: "file", description: "a text file to measure on", defaultText: PASSAGE_NAME },
} as const satisfies AnalysisOptions;

/** What only code can give. */
interface GivenInput {
  /** Texts, or tokens [batch pos], in place of the text. */
  readonly input?: ModelInput | undefined;
  /** Tokens, by id, that are left out of all means, and keep their value in the run with the dictionary. Default: none of an input, and of a text BOS. */
  readonly ignoredTokens?: readonly number[] | undefined;
  /** The most bytes that the values of a run may take; default: 128 MB, or half of the free memory if that is less. */
  readonly memory?: number | undefined;
}

/** The options of `measureDictionaryReport`. */
export type MeasureDictionaryReportOptions = GivenOptions<typeof DICTIONARY_REPORT_OPTIONS> & GivenInput;

const KINDS: OptionKinds<GivenInput> = {
  input: ANYTHING,
  ignoredTokens: listOf(WHOLE, "ids of tokens"),
  memory: POSITIVE,
};

/** What the model computes with the dictionary's hook point as it is, replaced by what the dictionary makes, zeroed, and at its mean. */
export interface DictionaryRunRow {
  readonly run: DictionaryRun;
  /** The mean loss of the next token, in nats. */
  readonly loss: number;
  /** The mean Kullback–Leibler divergence of its predictions from the clean run's, in nats. */
  readonly divergence: number;
}

/** The result of `measureDictionaryReport`: a row for each feature. */
export interface DictionaryReportMeasurement extends Measured<FeatureRow>, DictionaryNumbers {
  /** The dictionary's name, and the hook point that it stands at. */
  readonly dictionary: string;
  readonly hook: string;
  /** What the text is called; null where the input was given. */
  readonly text: string | null;
  /** A row for each value of the hook point. */
  readonly runs: Measured<DictionaryRunRow>;
  /** `(L_zero − L_dictionary) / (L_zero − L_clean)`: 1 where the dictionary costs nothing, 0 where zeros cost as little. */
  readonly lossScore: number;
  /** The same, next to the mean in place of zeros. */
  readonly lossScoreOfMean: number;
  /** `1 − KL_dictionary / KL_zero`. */
  readonly divergenceScore: number;
}

/**
 * A dictionary's numbers on texts: sparsity, reconstruction, what of the model's predictions is kept, and each feature's density. A
 * transcoder's output is compared with the hook point that it stands at. Means are over all tokens that are neither padding nor
 * ignored; losses of those with a next token. Source: SAELens' `run_evals`, with the explained variance and the mean squared error that
 * those words mean.
 * @throws ArgumentError, ShapeError, UnknownNameError for a dictionary that does not fit; InputError if no token is left
 */
export async function measureDictionaryReport(
  model: HookedTransformer,
  options: MeasureDictionaryReportOptions = {},
): Promise<DictionaryReportMeasurement> {
  const of = "measureDictionaryReport";
  const asked = settled(of, model, options, DICTIONARY_REPORT_OPTIONS, KINDS);
  needNextToken(of, model);
  const { signal, onProgress, memory = passBytes(model) } = asked;
  const texts = textsOf(model, asked);
  const dictionary = await dictionaryOf(of, model, asked);
  const passes = new DictionaryPasses(model, dictionary, texts);
  const mean = await meanOf(model, passes, texts, memory, signal);

  const read = new ReadTokens(texts);
  const { dSae } = dictionary;
  const counts = {
    fired: new Float64Array(dSae),
    texts: new Float64Array(dSae),
    largest: new Float64Array(dSae).fill(-Infinity),
  };
  const wanted = (from: number, to: number) => flat(passes.numbers(from, to, mean));
  const { together } = rowsThatFit((from, to) => wanted(from, to).map(([, value]) => value), texts.count, memory);
  for (let from = 0; from < texts.count; from += together) {
    const to = Math.min(texts.count, from + together);
    const values = wanted(from, to);
    const computed = await model.compute(
      values.map(([, value]) => value),
      { signal },
    );
    const found = new Map(values.map(([key], i) => [key, computed[i].data as Float32Array]));
    for (let f = 0; f < dSae; f++) {
      counts.fired[f] += found.get("fired")![f];
      counts.texts[f] += found.get("texts")![f];
      counts.largest[f] = Math.max(counts.largest[f], found.get("largest")![f]);
    }
    read.add(found, from, to);
    onProgress?.({ done: to, total: texts.count, unit: "texts" });
  }
  const numbers = numbersOf(read.tokens);
  const runs = RUNS.map(
    (run): DictionaryRunRow => ({
      run,
      loss: read.mean(`loss.${run}`),
      divergence: run === "clean" ? 0 : read.mean(`divergence.${run}`),
    }),
  );
  const [clean, own, zero, meaned] = runs;
  return Measured.of(featureRows(dictionary, { ...counts, tokens: numbers.tokens }), {
    ...numbers,
    ...{ dictionary: dictionary.name, hook: passes.hook, text: asked.input ? null : (asked.text ?? DEFAULT_TEXT).name },
    runs: new Measured(runs),
    lossScore: (zero.loss - own.loss) / (zero.loss - clean.loss),
    lossScoreOfMean: (meaned.loss - own.loss) / (meaned.loss - clean.loss),
    divergenceScore: 1 - own.divergence / zero.divergence,
  });
}

const DEFAULT_TEXT = { name: PASSAGE_NAME, text: PASSAGE };

/** The texts as tokens. @throws InputError if none of them counts */
function textsOf(
  model: HookedTransformer,
  { input, text = DEFAULT_TEXT, ignoredTokens }: GivenInput & { readonly text?: FileText | undefined },
): Texts {
  const bos = model.text?.bosTokenId;
  const { tokens, mask } = input === undefined ? rowsOfPieces(model, text.text) : rowsOfInput(model, input);
  const ids = tokens.data as Int32Array;
  const ignored = new Set(ignoredTokens ?? (input === undefined && bos !== undefined ? [bos] : []));
  const [count, pos] = tokens.shape;
  const counted = Uint8Array.from(ids, (id, i) => +(mask?.[i] !== 0 && !ignored.has(id)));
  if (pos > 1 && counted.includes(1)) return { count, pos, tokens: ids, mask, counted };
  throw new InputError(
    `measureDictionaryReport needs at least two tokens of a text, and one that is not ignored, but of ${count} x ${pos} none is left.`,
    { asked: [...ignored] },
  );
}

interface Rows {
  /** int32 [batch pos] */
  readonly tokens: Tensor;
  readonly mask: Uint8Array | undefined;
}

function rowsOfInput(model: HookedTransformer, input: ModelInput): Rows {
  const { tokens, attentionMask } = model.graph(input);
  return { tokens: tokens!, mask: attentionMask?.data as Uint8Array | undefined };
}

/** A text's pieces as rows, each after a BOS where the model has one; the last is filled up. */
function rowsOfPieces(model: HookedTransformer, text: string): Rows {
  const bos = bosOf(model);
  const rows = piecesOf(model, text).map((piece) => (bos === undefined ? piece : [bos, ...piece]));
  const [count, pos] = [rows.length, rows[0].length];
  const ids = new Int32Array(count * pos);
  const mask = new Uint8Array(count * pos);
  rows.forEach((row, i) => {
    ids.set(row, i * pos);
    mask.fill(1, i * pos, i * pos + row.length);
  });
  const tokens = Tensor.leaf(ndarray("int32", [count, pos], ids), ["batch", "pos"]);
  return { tokens, mask: mask.includes(0) ? mask : undefined };
}

/** The mean of what the dictionary is to make, over the tokens that count. */
async function meanOf(
  model: HookedTransformer,
  passes: DictionaryPasses,
  { count, counted }: Texts,
  memory: number,
  signal: AbortSignal | undefined,
): Promise<Tensor> {
  const { together } = rowsThatFit((from, to) => [passes.sum(from, to)], count, memory);
  let sum: Float64Array | undefined;
  let like: Tensor | undefined;
  for (let from = 0; from < count; from += together) {
    const [part] = await model.compute([passes.sum(from, Math.min(count, from + together))], { signal });
    like = part;
    sum ??= new Float64Array(part.data.length);
    for (let i = 0; i < sum.length; i++) sum[i] += part.data[i];
  }
  const tokens = counted.reduce((n, one) => n + one, 0);
  return Tensor.leaf(
    ndarray(
      "float32",
      like!.shape,
      Float32Array.from(sum!, (x) => x / tokens),
    ),
    like!.axes,
  );
}

/** What passes measure, each with a name. */
function flat({ at, loss, divergence, ...features }: TokenNumbers & FeatureNumbers): [string, Tensor][] {
  const named = (prefix: string, values: object) =>
    Object.entries(values).map(([key, value]): [string, Tensor] => [prefix + key, value]);
  return [...named("", features), ...named("", at), ...named("loss.", loss), ...named("divergence.", divergence)];
}

/** What was read at the tokens that count. */
class ReadTokens {
  readonly tokens: AtToken[] = [];
  readonly #texts: Texts;
  readonly #sums = new Map<string, { sum: number; count: number }>();

  constructor(texts: Texts) {
    this.#texts = texts;
  }

  /** @param found the numbers of texts `from` to `to`, by name */
  add(found: ReadonlyMap<string, Float32Array>, from: number, to: number): void {
    const { pos, counted, mask } = this.#texts;
    for (let row = 0; row < to - from; row++) {
      for (let p = 0; p < pos; p++) {
        const at = (from + row) * pos + p;
        if (!counted[at]) continue;
        this.tokens.push(Object.fromEntries(AT_TOKENS.map((key) => [key, found.get(key)![row * pos + p]])) as AtToken);
        const hasNext = p + 1 < pos && mask?.[at + 1] !== 0;
        for (const run of RUNS) {
          if (hasNext) this.count(`loss.${run}`, found.get(`loss.${run}`)![row * (pos - 1) + p]);
          if (run !== "clean") this.count(`divergence.${run}`, found.get(`divergence.${run}`)![row * pos + p]);
        }
      }
    }
  }

  /** The mean of what is read under a name. */
  mean(name: string): number {
    const { sum, count } = this.#sums.get(name) ?? { sum: Number.NaN, count: 1 };
    return sum / count;
  }

  private count(name: string, x: number): void {
    const { sum, count } = this.#sums.get(name) ?? { sum: 0, count: 0 };
    this.#sums.set(name, { sum: sum + x, count: count + 1 });
  }
}
