/** "Where does each head look?" */

import { as, ENTROPY, headCells, KEY, TOKEN } from "../finding/columns.ts";
import { type Finding, finding, type Method, type Statement } from "../finding/finding.ts";
import type { PictureSpec } from "../finding/picture.ts";
import { type Table, tableOf } from "../finding/table.ts";
import type { View } from "../finding/view.ts";
import type { Model } from "../lens/model.ts";
import {
  type AttentionPatternsMeasurement,
  type AttentionPatternsOptions,
  type HeadPattern,
  measureAttentionPatterns,
  PATTERN_OPTIONS,
} from "../measures/attention-patterns.ts";
import { settled } from "../measures/options.ts";
import { percent } from "../tensor/words.ts";
import { analysis } from "./analysis.ts";
import { modelFacts, windowCaveats } from "./model-facts.ts";

const QUESTION = "Where does each head look?";

const MEASURES = [
  { key: "entropy", name: "uniform attention: entropy", unit: "nats", factor: 1, text: "The mean entropy" },
  { key: "distance", name: "uniform attention: distance", unit: "tokens", factor: 1, text: "The mean distance" },
  {
    key: "first",
    name: "uniform attention: first token",
    unit: "%",
    factor: 100,
    text: "The mean share on the first token",
  },
  {
    key: "previous",
    name: "uniform attention: previous token",
    unit: "%",
    factor: 100,
    text: "The mean share on the previous token",
  },
  {
    key: "self",
    name: "uniform attention: same token",
    unit: "%",
    factor: 100,
    text: "The mean share on the token itself",
  },
] as const;

const KINDS = [
  { key: "first", words: "looks at the first token" },
  { key: "previous", words: "looks at the previous token" },
  { key: "self", words: "looks at the token itself" },
] as const;

/** The most numbers in the patterns that a picture shows. */
const MOST_DRAWN = 400_000;

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
    summary: summary(heads),
    method: METHOD,
    model: modelFacts(model),
    settings: { prompt: prompt.tokens.join(""), tokens: prompt.ids.length, heads: heads.length },
    pictures: [
      patternPicture(measured),
      ...KINDS.map(({ key, words }) => headMap(measured, key, `How much each head ${words}`)),
    ],
    tables: [headTable(heads, prompt.startsWithBos ? "BOS" : "first"), strongest(measured)],
    baselines: MEASURES.map(({ key, name, unit, factor, text: what }) => ({
      name,
      kind: "reference value",
      text: `${what} of a head that attends equally to every token it can see, on a prompt of ${prompt.ids.length} tokens.`,
      value: factor * uniform[key],
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

function summary(heads: readonly HeadPattern[]): [Statement, ...Statement[]] {
  const nameOf = (key: string) => MEASURES.find((measure) => measure.key === key)!.name;
  const most = (key: "first" | "previous" | "self") => heads.toSorted((a, b) => b[key] - a[key])[0];
  const sharpest = heads.toSorted((a, b) => a.entropy - b.entropy)[0];
  return [
    {
      text: `${sharpest.name} is the sharpest: its attention has a mean entropy of ${sharpest.entropy.toFixed(2)} nats, as if spread evenly over ${Math.exp(sharpest.entropy).toFixed(1)} tokens.`,
      figure: { value: sharpest.entropy, unit: "nats", comparedWith: [nameOf("entropy")] },
    },
    ...KINDS.map(({ key, words }) => ({
      text: `${most(key).name} most ${words}, with ${percent(most(key)[key])} of its attention.`,
      figure: { value: 100 * most(key)[key], unit: "%", comparedWith: [nameOf(key)] as [string] },
    })),
  ];
}

const METHOD: Method = {
  text:
    "A head's pattern is the softmax of its scores: row q says how much of what query q reads comes from each key. All numbers are means over the queries from the second token on, because the first can only look at itself.\n\n" +
    "Entropy is −Σ p log p in nats, between 0 (a single token) and the logarithm of the number of tokens. Distance is Σ p |q − k|. Shares are the attention on the first token, on the token before the query, and on the query's own.",
  references: [
    {
      title: "A Mathematical Framework for Transformer Circuits",
      url: "https://transformer-circuits.pub/2021/framework/index.html",
      paper: "Elhage et al., 2021",
    },
    {
      title: "Analyzing the Structure of Attention in a Transformer Language Model",
      url: "https://arxiv.org/abs/1906.04284",
      paper: "Vig and Belinkov, 2019",
    },
  ],
};

function patternPicture({ prompt, heads }: AttentionPatternsMeasurement): PictureSpec {
  const drawn = heads.slice(0, Math.max(1, Math.floor(MOST_DRAWN / prompt.ids.length ** 2)));
  return {
    kind: "attention",
    name: "patterns",
    title: "Attention patterns",
    caption:
      "Rows are queries, columns keys." +
      (drawn.length < heads.length ? ` The first ${drawn.length} of ${heads.length} heads are shown.` : ""),
    tokens: prompt.tokens,
    heads: drawn.map(({ name, pattern }) => ({ name, pattern })),
    perRow: new Set(heads.map((h) => h.head)).size,
  };
}

function headMap({ uniform }: AttentionPatternsMeasurement, key: "first" | "previous" | "self", title: string): View {
  return {
    kind: "imshow",
    name: `share-${key}`,
    title,
    caption: `A head that looks everywhere equally would have ${percent(uniform[key])}.`,
    table: "heads",
    x: "head",
    y: "layer",
    color: { column: key, label: "attention", scheme: "Blues", domain: [0, 100] },
  };
}

function headTable(heads: readonly HeadPattern[], first: string): Table {
  const share = { format: "percent" } as const;
  const comparedWith = MEASURES.map((measure) => measure.name);
  return tableOf({ name: "heads", title: "Head by head, means over queries", comparedWith }, heads, [
    ...headCells<HeadPattern>(),
    [as(ENTROPY, { description: "The entropy of its attention." }), ({ entropy }) => entropy],
    [
      {
        name: "distance",
        title: "distance",
        unit: "tokens",
        format: { digits: 2 },
        description: "How far back it looks.",
      },
      ({ distance }) => distance,
    ],
    [{ name: "first", title: first, ...share, description: "Its attention on the first token." }, (head) => head.first],
    [
      { name: "previous", title: "previous", ...share, description: "Its attention on the token before." },
      ({ previous }) => previous,
    ],
    [{ name: "self", title: "self", ...share, description: "Its attention on the token itself." }, ({ self }) => self],
  ]);
}

function strongest({ prompt, heads }: AttentionPatternsMeasurement): Table {
  const rows = heads.flatMap(({ name, layer, head, pattern }) =>
    pattern.map((row, query) => {
      const attention = Math.max(...row);
      return { name, layer, head, query, key: row.indexOf(attention), attention };
    }),
  );
  return tableOf({ name: "strongest", title: "What each position looks at most", detail: true }, rows, [
    ...headCells<(typeof rows)[number]>(),
    [
      { name: "query", title: "query", axis: "query", format: "integer", description: "The position that looks." },
      ({ query }) => query,
    ],
    [as(TOKEN, { name: "query_token", description: "Its token." }), ({ query }) => prompt.tokens[query]],
    [as(KEY, { description: "The position that it looks at most." }), ({ key }) => key],
    [
      as(TOKEN, { name: "key_token", title: "looks at", description: "That position's token." }),
      ({ key }) => prompt.tokens[key],
    ],
    [
      { name: "attention", title: "attention", format: "percent", description: "The weight on it." },
      ({ attention }) => attention,
    ],
  ]);
}

/** `attentionPatterns` for the index. */
export const attentionPatternsAnalysis = analysis({
  name: "attention-patterns",
  question: QUESTION,
  description:
    "The attention patterns of a prompt, and for each head how sharp its attention is, how far back it goes, and how much of it goes to the first, the previous and the same token, compared with a head that looks everywhere equally.",
  example: '--prompt "When Mary and John went out, John gave Mary a book." --layers 0 --out patterns.html',
  options: PATTERN_OPTIONS,
  run: attentionPatterns,
});
