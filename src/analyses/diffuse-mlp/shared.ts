/** What the parts of the analysis share: the parts' shape, words, groups that are compared, and how positions are drawn and listed. */
import { NEXT, POS, PROMPT, TOKEN } from "../../finding/columns.ts";
import type { Baseline, Figure, Finding, Statement } from "../../finding/finding.ts";
import { as, column, type Table } from "../../finding/table.ts";
import type { View } from "../../finding/view.ts";
import type { GroupComparison } from "../../measures/diffuse-mlp/comparisons.ts";
import type { DiffuseMlpRow } from "../../measures/diffuse-mlp/positions.ts";
import type { DiffuseMlpMeasurement } from "../../measures/diffuse-mlp.ts";
import { quoted } from "../../tensor/words.ts";

/** One of the questions that the analysis answers: a section of the report, and what belongs to it. */
export interface Answered {
  readonly part: NonNullable<Finding["parts"]>[number];
  readonly summary: readonly Statement[];
  readonly pictures: readonly View[];
  readonly tables: readonly Table[];
  readonly baselines: readonly Baseline[];
}

/** Sentences, and what their numbers are compared with. Baselines that cannot be computed (too few positions) are left out. */
export type Result = Pick<Answered, "summary" | "baselines">;

/** A number and all that it is compared with, if there is anything. */
export function figure(value: number, unit: string, baselines: readonly Baseline[]): { figure?: Figure } {
  const [first, ...rest] = baselines.map(({ name }) => name);
  return first === undefined ? {} : { figure: { value, unit, comparedWith: [first, ...rest] } };
}

/** “ mount” → “ains” */
export const step = (p: DiffuseMlpRow) => `${quoted(p.token)} → ${quoted(`${p.next}`)}`;
export const pValue = (p: number) => (p < 0.001 ? "p < 0.001" : `p = ${p.toFixed(3)}`);

/** The permutation test and the bootstrap interval of a difference, where they exist. */
export function groupBaselines(
  name: string,
  what: string,
  { test, bootstrap }: Pick<GroupComparison, "bootstrap"> & { readonly test: NonNullable<GroupComparison["test"]> },
  seed: number,
  factor: number,
  unit: string,
): Baseline[] {
  const { p, samples, difference } = test;
  const tested: Baseline = {
    name: `${name}, top and rest`,
    kind: "permutation test",
    text: `The mean ${what} at the top positions minus that at the rest, compared with random choices of the same number of positions; p is two-sided.`,
    ...{ value: factor * difference, unit, p, samples, seed },
  };
  if (!bootstrap) return [tested];
  const text = `The interval of the difference in mean ${what}; whole prompts are drawn with replacement.`;
  const kind = "bootstrap interval";
  return [
    tested,
    {
      name: `${name}, interval of the difference`,
      kind,
      text,
      ...bootstrap,
      interval: scaled(bootstrap.interval, factor),
      unit,
      seed,
    },
  ];
}

export function scaled([low, high]: readonly [number, number], factor: number): [number, number] {
  return [factor * low, factor * high];
}

// Pictures.

/** The most texts that are drawn as tokens, and the most points of a scatter's series. */
const MOST_TEXTS = 60;
const MOST_POINTS = 2000;
/** All positions of all prompts, as tokens. */
export const TOKENS = {
  kind: "tokens",
  table: "positions",
  text: PROMPT.name,
  token: TOKEN.name,
  most: MOST_TEXTS,
} as const;
/** All positions, as points. */
export const POINTS = { kind: "scatter", table: "positions", most: MOST_POINTS, thin: "evenly" } as const;

/** What a caption adds if not all prompts are drawn. */
export function textsNote({ prompts }: DiffuseMlpMeasurement): string {
  if (prompts.length <= MOST_TEXTS) return "";
  return ` ${MOST_TEXTS} of the ${prompts.length} prompts are shown, those with framed tokens first.`;
}

/** What a caption adds if not all points are drawn. */
export function pointsNote(others: number): string {
  return others > MOST_POINTS ? ` Of the ${others} other positions, ${MOST_POINTS} are shown, evenly spaced.` : "";
}

/** The notebook's two groups of positions. */
export function chosenAndOthers(count: number, labels: { label?: string; labels?: number; labelsBy?: string } = {}) {
  return [
    { name: "other positions", where: { top: false } },
    { name: `top ${count} by score`, where: { top: true }, ...labels },
  ];
}

// Columns.

export const WHERE = [PROMPT, POS, TOKEN] as const;
export const NEXT_TOKEN = as(NEXT, "The token that comes next, which it predicts.");
export const ATTRIBUTION = column("attribution", "What all neurons together add directly to the next token's logit.", {
  title: "MLP attribution",
  unit: "logits",
  digits: 2,
});
export const LOSS_CHANGE = column(
  "loss_change",
  "The predicted token's own loss with the neurons zeroed there, minus its clean loss.",
  { unit: "nats", digits: 2 },
);
export const SPREAD = [
  column("max_share", "The largest |a_i| as a share of the sum of |a_i|.", {
    title: "largest neuron",
    format: "percent",
  }),
  column("shuffled_max_share", "The same with the neurons' output directions shuffled, as a mean over shuffles.", {
    title: "shuffled",
    format: "percent",
  }),
  column("effective_neurons", "The participation ratio (sum |a_i|)² / sum a_i².", { digits: 0 }),
  column("n50", "The fewest neurons that make up half of the sum of |a_i|.", { title: "for 50 %", format: "integer" }),
  column("n90", "The fewest neurons that make up nine tenths of it.", { title: "for 90 %", format: "integer" }),
] as const;
