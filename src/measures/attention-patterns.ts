/** The patterns of some heads on a prompt, each with a summary. */
import type { AttentionMetric } from "../finding/picture.ts";
import { Tensor } from "../graph/tensor.ts";
import { headName } from "../lens/components.ts";
import type { Model } from "../lens/model.ts";
import { getActName } from "../models/act-name.ts";
import { ndarray } from "../tensor/array.ts";
import { MemoryError } from "../tensor/errors.ts";
import { Measured } from "./measured.ts";
import { type AnalysisOptions, type GivenOptions, settled } from "./options.ts";
import { type Prompt, readPrompt } from "./prompt.ts";

/** A prompt on which several kinds of heads show. */
const DEFAULT_PROMPT = "The young man asked the old man the way, and the old man shook his head.";

export const PATTERN_OPTIONS = {
  prompt: { type: "prompt", description: "the text to read", default: DEFAULT_PROMPT },
  layers: {
    type: "layers",
    placeholder: "L",
    description: "which layers; negative from the end",
    defaultText: "all",
  },
  heads: { type: "heads", placeholder: "H", description: "which heads of those layers", defaultText: "all" },
} as const satisfies AnalysisOptions;

/** A head's pattern, summarised: means over the queries that have more than one key to look at. */
export interface PatternSummary {
  /** In nats; 0 if a head always looks at a single token. */
  readonly entropy: number;
  /** How far back it looks, in tokens. */
  readonly distance: number;
  /** The attention on the first token, the token before, and the token itself. */
  readonly first: number;
  readonly previous: number;
  readonly self: number;
  /**
   * The attention on what followed the query's token earlier in the text, a mean over the queries whose token was there
   * before; `null` if no token repeats.
   */
  readonly induction: number | null;
}

/** A head's pattern on a prompt. */
export interface HeadPattern extends PatternSummary {
  /** `L0H3` */
  readonly name: string;
  readonly layer: number;
  readonly head: number;
  /** [query key] */
  readonly pattern: Tensor;
  /** The norm of the head's value vector at each key, [key]: a pattern times these says how much is moved, before W_O. */
  readonly valueNorms: Tensor;
}

/** A head and the summary of its pattern. */
export interface AttentionPatternsRow extends PatternSummary {
  readonly layer: number;
  readonly head: number;
}

/** Attention patterns of some heads on a prompt: a row for each head. */
export interface AttentionPatternsMeasurement extends Measured<AttentionPatternsRow> {
  readonly prompt: Prompt;
  readonly heads: readonly HeadPattern[];
  /** The same for a head that attends equally to every token it can see. */
  readonly uniform: PatternSummary;
}

/** The options of `measureAttentionPatterns` and `attentionPatterns`. */
export type AttentionPatternsOptions = GivenOptions<typeof PATTERN_OPTIONS>;

/**
 * `hook_pattern` of some layers and heads, a summary of each, and the norms of its values (`hook_v`).
 * @throws ArgumentError for a layer or head that does not exist; InputError for a prompt with fewer than two tokens.
 */
export async function measureAttentionPatterns(
  model: Model,
  options: AttentionPatternsOptions = {},
): Promise<AttentionPatternsMeasurement> {
  const asked = settled("measureAttentionPatterns", model, options, PATTERN_OPTIONS);
  const prompt = readPrompt(model, asked.prompt, { least: 2 });
  const { cfg } = model;
  const all = (count: number) => Array.from({ length: count }, (_, i) => i);
  const layers = [...new Set(asked.layers ?? all(cfg.nLayers))];
  const heads = [...new Set(asked.heads ?? all(cfg.nHeads))];
  needPatterns(layers.length * heads.length, prompt.ids.length);
  const n = prompt.ids.length;
  const causal = cfg.attentionDir === "causal";
  const seen = (query: number) => (causal ? query + 1 : n);
  const uniform = new Float64Array(n * n).map((_, i) => {
    const query = Math.floor(i / n);
    return i % n < seen(query) ? 1 / seen(query) : 0;
  });
  const measured: HeadPattern[] = [];
  for (const some of inParts(layers, Math.max(1, Math.floor(PASS_NUMBERS / (heads.length * n ** 2))))) {
    measured.push(...(await patternsOf(model, prompt, some, heads, asked.signal)));
  }
  const rows = measured.map(({ name, pattern, valueNorms, ...row }): AttentionPatternsRow => row);
  return Measured.of(rows, { prompt, uniform: patternSummary(uniform, prompt.ids), heads: measured });
}

/** The most numbers of patterns in one run: with more, later layers are run separately. */
const PASS_NUMBERS = 64e6;

function inParts<T>(items: readonly T[], most: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / most) }, (_, i) => items.slice(i * most, (i + 1) * most));
}

async function patternsOf(
  model: Model,
  prompt: Prompt,
  layers: readonly number[],
  heads: readonly number[],
  signal: AbortSignal | undefined,
): Promise<HeadPattern[]> {
  const graph = model.graph(prompt.input);
  const values = layers.map((layer) => graph.at(getActName("v", layer)).at({ batch: 0 }).norm("d_head"));
  const patterns = layers.map((layer) => graph.at(getActName("pattern", layer)).at({ batch: 0, head: heads }));
  const found = await model.compute([...patterns, ...values], { signal });
  const n = prompt.ids.length;
  return layers.flatMap((layer, l) => {
    const norms = found[layers.length + l];
    const [, stored] = norms.shape;
    return heads.map((head, h): HeadPattern => {
      const data = found[l].data.subarray(h * n * n, (h + 1) * n * n) as Float32Array;
      // Several heads may share their values.
      const own = Math.floor((head * stored) / model.cfg.nHeads);
      const valueNorms = Float32Array.from({ length: n }, (_, key) => norms.data[key * stored + own]);
      return {
        ...{ name: headName(layer, head), layer, head },
        pattern: Tensor.leaf(ndarray("float32", [n, n], data), ["query", "key"]),
        valueNorms: Tensor.leaf(ndarray("float32", [n], valueNorms), ["key"]),
        ...patternSummary(data, prompt.ids),
      };
    });
  });
}

/** The most weights that are measured: 800 MB. 144 heads on 1024 tokens have 151 million. */
const MOST_NUMBERS = 200e6;

/** @throws MemoryError for more patterns than that */
function needPatterns(heads: number, tokens: number): void {
  const numbers = heads * tokens ** 2;
  if (numbers <= MOST_NUMBERS) return;
  throw new MemoryError(
    `The patterns of ${heads} heads on ${tokens} tokens are ${Math.round(numbers / 1e6)} million numbers, but at most ${MOST_NUMBERS / 1e6} million are measured: choose layers and heads (--layers, --heads), or a shorter prompt.`,
    { asked: numbers, found: MOST_NUMBERS },
  );
}

/**
 * A pattern's summary. The first query of a causal head has only one key, so all heads are the same there and it is not counted.
 * @param weights `weights[query · n + key]` of n tokens
 * @param tokens ids or texts: equal ones are repetitions
 */
export function patternSummary(weights: ArrayLike<number>, tokens: readonly (number | string)[]): PatternSummary {
  const n = tokens.length;
  let [entropy, distance, first, previous, self] = [0, 0, 0, 0, 0];
  for (let query = 1; query < n; query++) {
    const row = query * n;
    for (let key = 0; key < n; key++) {
      const p = weights[row + key];
      if (!(p > 0)) continue;
      entropy -= p * Math.log(p);
      distance += p * Math.abs(query - key);
    }
    first += weights[row];
    previous += weights[row + query - 1];
    self += weights[row + query];
  }
  const mean = (sum: number) => sum / Math.max(1, n - 1);
  return {
    entropy: mean(entropy),
    distance: mean(distance),
    first: mean(first),
    previous: mean(previous),
    self: mean(self),
    induction: inductionOf(weights, tokens),
  };
}

/** What heads can be sorted by, the most telling first. */
export function patternMetrics(heads: readonly PatternSummary[]): AttentionMetric[] {
  const of = (name: string, value: (head: PatternSummary) => number) => ({ name, values: heads.map(value) });
  const repeats = heads.every(({ induction }) => induction !== null);
  return [
    ...(repeats ? [of("induction", ({ induction }) => induction ?? 0)] : []),
    of("previous token", ({ previous }) => previous),
    of("first token", ({ first }) => first),
    of("same token", ({ self }) => self),
    { ...of("entropy", ({ entropy }) => entropy), unit: "nats", lowestFirst: true },
    { ...of("distance", ({ distance }) => distance), unit: "tokens" },
  ];
}

/** The mean attention on the tokens after earlier occurrences of the query's token. */
function inductionOf(weights: ArrayLike<number>, tokens: readonly (number | string)[]): number | null {
  const after = new Map<number | string, number[]>();
  let [sum, queries] = [0, 0];
  tokens.forEach((token, query) => {
    const keys = after.get(token);
    if (keys) {
      queries++;
      for (const key of keys) sum += weights[query * tokens.length + key];
    }
    after.set(token, [...(keys ?? []), query + 1]);
  });
  return queries > 0 ? sum / queries : null;
}
