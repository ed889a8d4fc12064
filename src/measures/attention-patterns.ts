/** The patterns of some heads on a prompt, each with a summary. */
import { Tensor } from "../graph/tensor.ts";
import { headName } from "../lens/components.ts";
import type { Model } from "../lens/model.ts";
import { getActName } from "../models/act-name.ts";
import { ndarray } from "../tensor/array.ts";
import { MemoryError } from "../tensor/errors.ts";
import { Measured } from "./measured.ts";
import { type AnalysisOptions, type GivenOptions, settled } from "./options.ts";
import { type PatternSummary, patternSummary } from "./pattern-summary.ts";
import { type Prompt, readPrompt } from "./prompt.ts";
import { largestIndices } from "./top-tokens.ts";

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

/** A head and the summary of its pattern. */
export interface AttentionPatternsRow extends PatternSummary {
  readonly layer: number;
  readonly head: number;
  /** `L0H3` */
  readonly component: string;
}

/** A head's pattern on a prompt. */
export interface HeadPattern extends AttentionPatternsRow {
  /** [query key] */
  readonly pattern: Tensor;
  /** The norm of the head's value vector at each key, [key]: a pattern times these says how much is moved, before W_O. */
  readonly valueNorms: Tensor;
}

/** What a query of a head looks at most. */
export interface StrongestKeyRow extends Pick<AttentionPatternsRow, "layer" | "head" | "component"> {
  readonly query: number;
  readonly query_token: string;
  readonly key: number;
  readonly key_token: string;
  readonly attention: number;
}

/** Attention patterns of some heads on a prompt: a row for each head. */
export interface AttentionPatternsMeasurement extends Measured<AttentionPatternsRow> {
  readonly prompt: Prompt;
  readonly heads: readonly HeadPattern[];
  /** A row for each query of each head. */
  readonly strongest: Measured<StrongestKeyRow>;
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
  const rows = measured.map(({ pattern, valueNorms, ...row }): AttentionPatternsRow => row);
  return Measured.of(rows, {
    ...{ prompt, heads: measured },
    strongest: strongestKeys(measured, prompt),
    uniform: patternSummary(uniform, prompt.ids),
  });
}

function strongestKeys(heads: readonly HeadPattern[], { tokens }: Prompt): Measured<StrongestKeyRow> {
  const n = tokens.length;
  const columns = ["layer", "head", "component", "query", "query_token", "key", "key_token", "attention"];
  const row = (i: number): StrongestKeyRow => {
    const { layer, head, component, pattern } = heads[Math.floor(i / n)];
    const query = i % n;
    const weights = pattern.data.subarray(query * n, (query + 1) * n) as Float32Array;
    const [key] = largestIndices(weights, 1);
    const at = { query, query_token: tokens[query], key, key_token: tokens[key] };
    return { layer, head, component, ...at, attention: weights[key] };
  };
  return new Measured({ length: heads.length * n, columns, row });
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
        ...{ layer, head, component: headName(layer, head) },
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
