/** "Where does each head look?" */

import { ENTROPY, HEAD_PLACE, KEY, TOKEN } from "../finding/columns.ts";
import { type Finding, finding, type Method, type Statement } from "../finding/finding.ts";
import { as, type Cell, column, type Table, tableOf } from "../finding/table.ts";
import type { View } from "../finding/view.ts";
import type { Model } from "../lens/model.ts";
import {
  type AttentionPatternsMeasurement,
  type AttentionPatternsOptions,
  type AttentionPatternsRow,
  measureAttentionPatterns,
  PATTERN_OPTIONS,
} from "../measures/attention-patterns.ts";
import { settled } from "../measures/options.ts";
import type { PatternSummary } from "../measures/pattern-summary.ts";
import { listed, percent } from "../tensor/words.ts";
import { analysis } from "./analysis.ts";
import { patternPicture } from "./attention-patterns/picture.ts";
import { UNIFORM_ATTENTION, uniformAttention } from "./baselines.ts";
import { modelFacts, windowCaveats } from "./model-facts.ts";
import { ATTENTION_STRUCTURE, FRAMEWORK } from "./papers.ts";
import { headMap } from "./views.ts";

const QUESTION = "Where does each head look?";

/** What is measured of a head, in words; a share of its attention says what the head then does. */
interface Measure {
  readonly key: keyof PatternSummary;
  readonly name: string;
  readonly what: string;
  readonly looks?: string;
}

const MEASURES: readonly Measure[] = [
  { key: "entropy", name: "entropy", what: "entropy" },
  { key: "distance", name: "distance", what: "distance" },
  { key: "first", name: "first token", what: "share on the first token", looks: "the first token" },
  { key: "previous", name: "previous token", what: "share on the previous token", looks: "the previous token" },
  { key: "self", name: "same token", what: "share on the token itself", looks: "the token itself" },
  {
    key: "induction",
    name: "induction",
    what: "share on what followed the token earlier, where it was there before,",
    looks: "what followed the same token earlier",
  },
];

/** The measures that the text allows: nothing is measured of repetitions where no token repeats. */
const measurable = ({ uniform }: AttentionPatternsMeasurement) => MEASURES.filter(({ key }) => uniform[key] !== null);
const shares = (measured: AttentionPatternsMeasurement) => measurable(measured).filter(({ looks }) => looks);
const uniformName = ({ name }: Measure) => `${UNIFORM_ATTENTION}: ${name}`;

/**
 * The attention patterns of a prompt, and for each head how spread its attention is, how far back it goes and how much
 * of it goes to the first, the previous and the same token. @see measureAttentionPatterns
 */
export async function attentionPatterns(model: Model, options: AttentionPatternsOptions = {}): Promise<Finding> {
  const measured = await measureAttentionPatterns(model, settled("attentionPatterns", model, options, PATTERN_OPTIONS));
  const { prompt, uniform } = measured;
  return finding({
    analysis: "attention-patterns",
    question: QUESTION,
    summary: summary(measured),
    method: METHOD,
    model: modelFacts(model),
    settings: { prompt: prompt.text, tokens: prompt.ids.length, heads: measured.length },
    pictures: [patternPicture(measured), sharesPicture(measured)],
    tables: [headTable(measured), strongest(measured)],
    baselines: measurable(measured).map((measure) =>
      uniformAttention(uniform[measure.key]! * (measure.looks ? 100 : 1), {
        name: uniformName(measure),
        what: `The mean ${measure.what}`,
        on: `a prompt of ${prompt.ids.length} tokens`,
        unit: measure.looks ? "%" : measure.key === "entropy" ? "nats" : "tokens",
      }),
    ),
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
  const [{ component, entropy }] = measured.top(1, "entropy", { smallest: true });
  return [
    {
      text: `${component} is the sharpest: its attention has a mean entropy of ${entropy.toFixed(2)} nats, as if spread evenly over ${Math.exp(entropy).toFixed(1)} tokens.`,
      figure: { value: entropy, unit: "nats", comparedWith: [uniformName(MEASURES[0])] },
    },
    ...shares(measured).map((measure): Statement => {
      const [most] = measured.top(1, measure.key);
      const share = most[measure.key]!;
      return {
        text: `${most.component} most looks at ${measure.looks}, with ${percent(share)} of its attention.`,
        figure: { value: 100 * share, unit: "%", comparedWith: [uniformName(measure)] },
      };
    }),
  ];
}

const METHOD: Method = {
  text:
    "A head's pattern is the softmax of its scores: row q says how much of what query q reads comes from each key. All numbers are means over the queries from the second token on, because the first can only look at itself.\n\n" +
    "Entropy is −Σ p log p in nats, between 0 (a single token) and the logarithm of the number of tokens. Distance is Σ p |q − k|. Shares are the attention on the first token, on the token before the query, and on the query's own. Where a token was there before, induction is the attention on the tokens that followed it.",
  references: [FRAMEWORK, ATTENTION_STRUCTURE],
};

/** How much each head looks at the first token, at the previous one and so on: a heatmap each. */
function sharesPicture(measured: AttentionPatternsMeasurement): View {
  const shown = shares(measured);
  const equally = shown.map(({ looks, key }) => `${percent(measured.uniform[key]!)} on ${looks}`);
  return headMap(
    "shares",
    "How much each head looks where",
    { column: shown.map(({ key }) => key), label: "attention", scheme: "Blues", domain: [0, 100] },
    {
      caption: `A head that looks everywhere equally would have ${listed(equally)}.`,
    },
  );
}

function headTable(measured: AttentionPatternsMeasurement): Table {
  const share = <const Name extends string>(name: Name, what: string, title: string = name) =>
    column(name, `Its attention on ${what}.`, { title, format: "percent" });
  const induction: Cell<AttentionPatternsRow> = share(
    "induction",
    "what followed the same token earlier, where the token was there before",
  );
  const comparedWith = measurable(measured).map(uniformName);
  return tableOf({ name: "heads", title: "Head by head, means over queries", comparedWith }, measured.rows, [
    ...HEAD_PLACE,
    as(ENTROPY, "The entropy of its attention."),
    column("distance", "How far back it looks.", { unit: "tokens", digits: 2 }),
    share("first", "the first token", measured.prompt.startsWithBos ? "BOS" : "first"),
    share("previous", "the token before"),
    share("self", "the token itself"),
    ...(measured.uniform.induction === null ? [] : [induction]),
  ]);
}

/** The most rows of the table of positions: of more positions, each head's clearest. */
const MOST_POSITIONS = 4000;

function strongest({ prompt, heads, strongest: { rows } }: AttentionPatternsMeasurement): Table {
  const n = prompt.ids.length;
  const each = Math.max(1, Math.floor(MOST_POSITIONS / heads.length));
  const clearest = heads.flatMap((_, h) => {
    const ofHead = rows.slice(h * n, (h + 1) * n);
    if (n <= each) return ofHead;
    // The first token is where heads rest.
    const others = ofHead.filter(({ key }) => key > 0).sort((a, b) => b.attention - a.attention);
    return others.slice(0, each).sort((a, b) => a.query - b.query);
  });
  const title =
    n <= each
      ? "What each position looks at most"
      : `The ${each} positions of each head that look most at one token other than the first`;
  return tableOf({ name: "strongest", title, detail: true }, clearest, [
    ...HEAD_PLACE,
    column("query", "The position that looks.", { axis: "query", format: "integer" }),
    as(TOKEN, { name: "query_token", description: "Its token." }),
    as(KEY, "The position that it looks at most."),
    as(TOKEN, { name: "key_token", title: "looks at", description: "That position's token." }),
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
