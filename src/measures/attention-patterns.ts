/** The patterns of some heads on a prompt, each with a summary. */
import { headName } from "../lens/components.ts";
import type { Model } from "../lens/model.ts";
import { getActName } from "../models/act-name.ts";
import { MemoryError } from "../tensor/errors.ts";
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
}

/** A head's pattern on a prompt. */
export interface HeadPattern extends PatternSummary {
  /** `L0H3` */
  readonly name: string;
  readonly layer: number;
  readonly head: number;
  /** [query][key] */
  readonly pattern: readonly (readonly number[])[];
}

/** Attention patterns of some heads on a prompt. */
export interface AttentionPatternsMeasurement {
  readonly prompt: Prompt;
  readonly heads: readonly HeadPattern[];
  /** The same for a head that attends equally to every token it can see. */
  readonly uniform: PatternSummary;
}

/** The options of `measureAttentionPatterns` and `attentionPatterns`. */
export type AttentionPatternsOptions = GivenOptions<typeof PATTERN_OPTIONS>;

/**
 * `hook_pattern` of some layers and heads, in one run, and a summary of each.
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
  const graph = model.graph(prompt.input);
  const patterns = await model.compute(
    layers.map((layer) => graph.at(getActName("pattern", layer)).at({ batch: 0, head: heads })),
    { signal: asked.signal },
  );
  const n = prompt.ids.length;
  const causal = cfg.attentionDir === "causal";
  const seen = (query: number) => (causal ? query + 1 : n);
  const uniform = all(n).map((q) => all(n).map((k) => (k < seen(q) ? 1 / seen(q) : 0)));
  return {
    prompt,
    uniform: summaryOf(uniform),
    heads: layers.flatMap((layer, l) =>
      heads.map((head, h) => {
        const { data } = patterns[l];
        const pattern = all(n).map((q) => Array.from(data.subarray((h * n + q) * n, (h * n + q + 1) * n)));
        return { name: headName(layer, head), layer, head, pattern, ...summaryOf(pattern) };
      }),
    ),
  };
}

/** The most numbers in a report: it is one string, whose length JavaScript limits. */
const MOST_NUMBERS = 40e6;

/** @throws MemoryError for more patterns than a report can hold */
function needPatterns(heads: number, tokens: number): void {
  const numbers = heads * tokens ** 2;
  if (numbers <= MOST_NUMBERS) return;
  throw new MemoryError(
    `The patterns of ${heads} heads on ${tokens} tokens are ${Math.round(numbers / 1e6)} million numbers, but a report holds ${MOST_NUMBERS / 1e6} million: choose layers and heads (--layers, --heads), or a shorter prompt.`,
    { asked: numbers, found: MOST_NUMBERS },
  );
}

/** The first query of a causal head has only one key, so all heads are the same there. */
function summaryOf(pattern: readonly (readonly number[])[]): PatternSummary {
  const queries = pattern.map((row, query) => ({ row, query })).slice(1);
  const mean = (value: (row: readonly number[], query: number) => number) =>
    queries.reduce((sum, { row, query }) => sum + value(row, query), 0) / queries.length;
  return {
    entropy: mean((row) => row.reduce((sum, p) => (p > 0 ? sum - p * Math.log(p) : sum), 0)),
    distance: mean((row, query) => row.reduce((sum, p, key) => sum + p * Math.abs(query - key), 0)),
    first: mean((row) => row[0]),
    previous: mean((row, query) => row[query - 1]),
    self: mean((row, query) => row[query]),
  };
}
