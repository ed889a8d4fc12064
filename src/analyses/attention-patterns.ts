/** "Where does each head look?" */

import { storedHeads } from "../finding/attention-weights.ts";
import { ENTROPY, headCells, KEY, TOKEN } from "../finding/columns.ts";
import { type Finding, finding, type Method, type Statement } from "../finding/finding.ts";
import type { PictureSpec } from "../finding/picture.ts";
import { as, type Cell, column, type Table, tableOf } from "../finding/table.ts";
import type { View } from "../finding/view.ts";
import type { Model } from "../lens/model.ts";
import {
  type AttentionPatternsMeasurement,
  type AttentionPatternsOptions,
  type HeadPattern,
  measureAttentionPatterns,
  PATTERN_OPTIONS,
  patternMetrics,
} from "../measures/attention-patterns.ts";
import { settled } from "../measures/options.ts";
import { percent } from "../tensor/words.ts";
import { analysis } from "./analysis.ts";
import { modelFacts, windowCaveats } from "./model-facts.ts";
import { ATTENTION_STRUCTURE, FRAMEWORK } from "./papers.ts";

const QUESTION = "Where does each head look?";

type Measure = "entropy" | "distance" | "first" | "previous" | "self" | "induction";

const MEASURES: readonly { key: Measure; name: string; unit: string; factor: number; text: string }[] = [
  { key: "entropy", name: "uniform attention: entropy", unit: "nats", factor: 1, text: "The mean entropy" },
  { key: "distance", name: "uniform attention: distance", unit: "tokens", factor: 1, text: "The mean distance" },
  ...(
    [
      ["first", "first token", "share on the first token"],
      ["previous", "previous token", "share on the previous token"],
      ["self", "same token", "share on the token itself"],
      ["induction", "induction", "share on what followed the token earlier, where it was there before,"],
    ] as const
  ).map(([key, name, what]) => ({
    ...{ key, name: `uniform attention: ${name}`, unit: "%", factor: 100, text: `The mean ${what}` },
  })),
];

const KINDS = [
  { key: "first", words: "looks at the first token" },
  { key: "previous", words: "looks at the previous token" },
  { key: "self", words: "looks at the token itself" },
  { key: "induction", words: "looks at what followed the same token earlier" },
] as const;

/** The measures that the text allows: nothing is measured of repetitions where no token repeats. */
function measurable<T extends { readonly key: Measure }>(
  measures: readonly T[],
  { uniform }: AttentionPatternsMeasurement,
): T[] {
  return measures.filter(({ key }) => uniform[key] !== null);
}

/**
 * The attention patterns of a prompt, and for each head how spread its attention is, how far back it goes and how much
 * of it goes to the first, the previous and the same token. @see measureAttentionPatterns
 */
export async function attentionPatterns(model: Model, options: AttentionPatternsOptions = {}): Promise<Finding> {
  const measured = await measureAttentionPatterns(model, settled("attentionPatterns", model, options, PATTERN_OPTIONS));
  const { prompt, heads, uniform } = measured;
  return finding({
    analysis: "attention-patterns",
    question: QUESTION,
    summary: summary(measured),
    method: METHOD,
    model: modelFacts(model),
    settings: { prompt: prompt.text, tokens: prompt.ids.length, heads: heads.length },
    pictures: [
      patternPicture(measured),
      ...measurable(KINDS, measured).map(({ key, words }) => headMap(measured, key, `How much each head ${words}`)),
    ],
    tables: [headTable(measured), strongest(measured)],
    baselines: measurable(MEASURES, measured).map(({ key, name, unit, factor, text: what }) => ({
      name,
      kind: "reference value",
      text: `${what} of a head that attends equally to every token it can see, on a prompt of ${prompt.ids.length} tokens.`,
      value: factor * uniform[key]!,
      unit,
    })),
    caveats: [
      "Attention says where a head reads, not what it moves: a large weight on a token whose value vector is small does little. A head that has nothing to do often rests on the first token.",
      "After the first layer a position holds more than its own token, so attention to a position is not attention to that word.",
      `The numbers come from one prompt of ${prompt.ids.length} tokens and depend on its length.`,
      ...windowCaveats(model),
      ...model.notes,
    ],
  });
}

function summary(measured: AttentionPatternsMeasurement): [Statement, ...Statement[]] {
  const { heads } = measured;
  const nameOf = (key: Measure) => MEASURES.find((measure) => measure.key === key)!.name;
  const most = (key: Measure) => heads.toSorted((a, b) => b[key]! - a[key]!)[0];
  const sharpest = heads.toSorted((a, b) => a.entropy - b.entropy)[0];
  return [
    {
      text: `${sharpest.name} is the sharpest: its attention has a mean entropy of ${sharpest.entropy.toFixed(2)} nats, as if spread evenly over ${Math.exp(sharpest.entropy).toFixed(1)} tokens.`,
      figure: { value: sharpest.entropy, unit: "nats", comparedWith: [nameOf("entropy")] },
    },
    ...measurable(KINDS, measured).map(({ key, words }) => ({
      text: `${most(key).name} most ${words}, with ${percent(most(key)[key]!)} of its attention.`,
      figure: { value: 100 * most(key)[key]!, unit: "%", comparedWith: [nameOf(key)] as [string] },
    })),
  ];
}

const METHOD: Method = {
  text:
    "A head's pattern is the softmax of its scores: row q says how much of what query q reads comes from each key. All numbers are means over the queries from the second token on, because the first can only look at itself.\n\n" +
    "Entropy is −Σ p log p in nats, between 0 (a single token) and the logarithm of the number of tokens. Distance is Σ p |q − k|. Shares are the attention on the first token, on the token before the query, and on the query's own. Where a token was there before, induction is the attention on the tokens that followed it.",
  references: [FRAMEWORK, ATTENTION_STRUCTURE],
};

/** The patterns of all heads, or as many as a picture holds. */
export function patternPicture({ prompt, heads }: AttentionPatternsMeasurement): PictureSpec {
  const weights = heads.map(({ name, pattern, valueNorms }) => ({
    ...{ name, weights: pattern.data as Float32Array, valueNorms: valueNorms.data as Float32Array },
  }));
  return {
    kind: "attention",
    name: "patterns",
    title: "Attention patterns",
    caption: "Rows are queries, columns keys.",
    tokens: prompt.tokens,
    heads: storedHeads(weights, prompt.ids.length),
    metrics: patternMetrics(heads),
    perRow: new Set(heads.map((h) => h.head)).size,
  };
}

function headMap({ uniform }: AttentionPatternsMeasurement, key: (typeof KINDS)[number]["key"], title: string): View {
  return {
    kind: "imshow",
    name: `share-${key}`,
    title,
    caption: `A head that looks everywhere equally would have ${percent(uniform[key]!)}.`,
    table: "heads",
    x: "head",
    y: "layer",
    color: { column: key, label: "attention", scheme: "Blues", domain: [0, 100] },
  };
}

const INDUCTION: Cell<HeadPattern> = column(
  "induction",
  "Its attention on what followed the same token earlier, where the token was there before.",
  {
    format: "percent",
  },
);

function headTable(measured: AttentionPatternsMeasurement): Table {
  const { prompt, heads } = measured;
  const first = prompt.startsWithBos ? "BOS" : "first";
  const share = { format: "percent" } as const;
  const comparedWith = measurable(MEASURES, measured).map((measure) => measure.name);
  return tableOf({ name: "heads", title: "Head by head, means over queries", comparedWith }, heads, [
    ...headCells<HeadPattern>(),
    as(ENTROPY, "The entropy of its attention."),
    column("distance", "How far back it looks.", { unit: "tokens", digits: 2 }),
    [{ name: "first", title: first, ...share, description: "Its attention on the first token." }, (head) => head.first],
    [{ name: "previous", title: "previous", ...share, description: "Its attention on the token before." }, "previous"],
    [{ name: "self", title: "self", ...share, description: "Its attention on the token itself." }, "self"],
    ...(measured.uniform.induction === null ? [] : [INDUCTION]),
  ]);
}

/** The most rows of the table of positions: of more positions, each head's clearest. */
const MOST_POSITIONS = 4000;

function strongest({ prompt, heads }: AttentionPatternsMeasurement): Table {
  const n = prompt.ids.length;
  const each = Math.max(1, Math.floor(MOST_POSITIONS / heads.length));
  const rows = heads.flatMap(({ name, layer, head, pattern: { data } }) => {
    const all = prompt.ids.map((_, query) => {
      let key = 0;
      for (let k = 1; k < n; k++) if (data[query * n + k] > data[query * n + key]) key = k;
      return { name, layer, head, query, key, attention: data[query * n + key] };
    });
    if (n <= each) return all;
    // The first token is where heads rest.
    const clearest = all.filter(({ key }) => key > 0).toSorted((a, b) => b.attention - a.attention);
    return clearest.slice(0, each).toSorted((a, b) => a.query - b.query);
  });
  const title =
    n <= each
      ? "What each position looks at most"
      : `The ${each} positions of each head that look most at one token other than the first`;
  return tableOf({ name: "strongest", title, detail: true }, rows, [
    ...headCells<(typeof rows)[number]>(),
    column("query", "The position that looks.", { axis: "query", format: "integer" }),
    [as(TOKEN, { name: "query_token", description: "Its token." }), ({ query }) => prompt.tokens[query]],
    as(KEY, "The position that it looks at most."),
    [
      as(TOKEN, { name: "key_token", title: "looks at", description: "That position's token." }),
      ({ key }) => prompt.tokens[key],
    ],
    column("attention", "The weight on it.", { format: "percent" }),
  ]);
}

/** `attentionPatterns` for the index. */
export const attentionPatternsAnalysis = analysis({
  name: "attention-patterns",
  model: "gelu-3l-novels",
  question: QUESTION,
  description:
    "The attention patterns of a prompt, and for each head how sharp its attention is, how far back it goes, and how much of it goes to the first, the previous and the same token, compared with a head that looks everywhere equally.",
  example: { prompt: "When Mary and John went out, John gave Mary a book.", layers: [0] },
  options: PATTERN_OPTIONS,
  run: attentionPatterns,
});
