/** The means of hook points as a finding, and as a table of all their numbers. */
import { modelFacts } from "../../analyses/model-facts.ts";
import { type Finding, finding } from "../../finding/finding.ts";
import { column, type Table, tableOf } from "../../finding/table.ts";
import type { View } from "../../finding/view.ts";
import type { Model } from "../../lens/model.ts";
import { counted, listed, percent } from "../../tensor/words.ts";
import type { ScanAbout } from "../scan.ts";
import { covarianceOf, numbersOf } from "./numbers.ts";
import { type MeanPoint, type MeansSummaries, pointSums } from "./summaries.ts";

const BY_CHANCE = "no mean";
const ALL_WIDTH = "equal directions";
const NAMED = 3;

/** A hook point over the corpus. */
interface PointRow {
  readonly hook: string;
  readonly width: number;
  /** The norm of the mean, and the root of the mean squared norm. */
  readonly mean_norm: number;
  readonly rms_norm: number;
  /** The mean's share of the mean squared norm. */
  readonly share: number;
  /** (Σ λ)² / Σ λ² of the covariance; null where it is not known. */
  readonly directions: number | null;
  /** The number with the largest |mean|, that mean, and how many of its standard deviations it is from 0. */
  readonly index: number;
  readonly largest: number;
  readonly deviations: number;
}

export function meansFinding(
  model: Model,
  points: readonly MeanPoint[],
  summaries: MeansSummaries,
  about: ScanAbout,
): Finding {
  const tokens = summaries.tokens.values[0];
  const rows = points.map((point, i) => rowOf(point, i, summaries));
  const byShare = [...rows].sort((a, b) => b.share - a.share);
  const known = rows.filter((row) => row.directions !== null);
  const fewest = [...known].sort((a, b) => a.directions! / a.width - b.directions! / b.width)[0];
  const widest = [...rows].sort((a, b) => Math.abs(b.deviations) - Math.abs(a.deviations))[0];
  return finding({
    analysis: "scan",
    question: "What is the mean of each hook point, and how much of its activations is that?",
    summary: [
      {
        text: sharesInWords(byShare),
        figure: { value: 100 * byShare[0].share, unit: "%", comparedWith: [BY_CHANCE] },
      },
      ...(fewest
        ? [
            {
              text: `Around it, activations vary in ${fewest.directions!.toFixed(1)} of ${fewest.width} directions at ${fewest.hook}, the fewest for its width.`,
              figure: { value: fewest.directions!, unit: "directions", comparedWith: [ALL_WIDTH] as [string] },
            },
          ]
        : []),
      {
        text: `The number that is farthest from 0 for how it varies is number ${widest.index} of ${widest.hook}: its mean is ${widest.largest.toFixed(2).replace("-", "−")}, ${Math.abs(widest.deviations).toFixed(1)} of its standard deviations.`,
      },
    ],
    method: {
      text:
        "The corpus is cut into rows of tokens, none of which has parts of two texts. Means are over all tokens but BOS, where activations are often like no others; those at positions include it. The share of the mean is |E[x]|² / E[|x|²].\n\n" +
        "The covariance is E[x xᵀ] − E[x] E[x]ᵀ, over all positions together. With its eigenvalues λ the number of directions is (Σ λ)² / Σ λ², which is the width if all are alike and 1 if there is only one. Sums over a batch are float32, and batches are added exactly.",
      references: [],
    },
    model: modelFacts(model),
    settings: {
      scan: "means",
      "hook points": points.length,
      positions: points[0].positions,
      covariances: known.length,
      ...about.settings,
    },
    pictures: [SHARES],
    tables: [pointsTable(rows)],
    baselines: [
      {
        name: BY_CHANCE,
        kind: "reference value",
        text: `What the mean of ${tokens.toLocaleString("en")} independent activations with mean 0 would have.`,
        ...{ value: 100 / tokens, unit: "%" },
      },
      ...(fewest
        ? [
            {
              name: ALL_WIDTH,
              kind: "reference value",
              text: `What ${fewest.hook} would have if it varied alike in all directions.`,
              ...{ value: fewest.width, unit: "directions" },
            } as const,
          ]
        : []),
    ],
    caveats: [
      "A covariance is over all positions together: what differs from position to position is part of it.",
      "Where a mean is much larger than the spread around it, the covariance has lost as many of float32's seven digits.",
      ...(about.skipped > 0
        ? [`${counted(about.skipped, "text")} of ${about.texts} have fewer than two tokens, and were left out.`]
        : []),
      ...model.notes,
    ],
  });
}

/** Where the mean has the largest share of the squared norm, and where the smallest. @param rows the largest share first */
function sharesInWords(rows: readonly PointRow[]): string {
  const said = ({ hook, share }: PointRow) => `${hook} (${percent(share)})`;
  if (rows.length === 1) return `At ${rows[0].hook} the mean has ${percent(rows[0].share)} of the squared norm.`;
  const largest = listed(rows.slice(0, Math.min(NAMED, rows.length - 1)).map(said));
  return `Of the squared norm the mean has the largest share at ${largest}, the smallest at ${said(rows[rows.length - 1])}.`;
}

/** A row for each number of each hook point. */
export function meansTables(points: readonly MeanPoint[], summaries: MeansSummaries): Table[] {
  const tokens = summaries.tokens.values[0];
  const rows = points.flatMap(({ name, width }, i) => {
    const { mean, variance } = numbersOf(width, tokens, pointSums(summaries, i));
    return Array.from(mean, (value, index) => ({ hook: name, index, mean: value, sd: Math.sqrt(variance[index]) }));
  });
  return [
    tableOf({ name: "numbers", title: "Every number of each hook point" }, rows, [
      column("hook", "The hook point.", { format: "text" }),
      column("index", "Which of its numbers at a token, from 0.", { format: "integer" }),
      column("mean", "Its mean over all tokens but BOS.", { digits: 4 }),
      column("sd", "Its standard deviation.", { digits: 4 }),
    ]),
  ];
}

function rowOf({ name, width, covariance }: MeanPoint, i: number, summaries: MeansSummaries): PointRow {
  const tokens = summaries.tokens.values[0];
  const sums = pointSums(summaries, i);
  const { mean, variance } = numbersOf(width, tokens, sums);
  const meanSquare = sumOf(mean.map((x) => x * x));
  const spread = sumOf(variance);
  let directions: number | null = null;
  if (covariance) {
    const squares = sumOf(covarianceOf(width, tokens, mean, sums).map((x) => x * x));
    directions = squares > 0 ? spread ** 2 / squares : null;
  }
  const index = mean.reduce((best, x, at) => (Math.abs(x) > Math.abs(mean[best]) ? at : best), 0);
  const deviation = Math.sqrt(variance[index]);
  return {
    ...{ hook: name, width, mean_norm: Math.sqrt(meanSquare), rms_norm: Math.sqrt(meanSquare + spread) },
    share: meanSquare + spread > 0 ? meanSquare / (meanSquare + spread) : 0,
    ...{ directions, index, largest: mean[index], deviations: deviation > 0 ? mean[index] / deviation : 0 },
  };
}

const sumOf = (numbers: Float64Array) => numbers.reduce((a, b) => a + b, 0);

function pointsTable(rows: readonly PointRow[]): Table {
  const about = { name: "points", title: "Every hook point", comparedWith: [BY_CHANCE] };
  return tableOf(about, rows, [
    column("hook", "The hook point.", { title: "hook point", format: "text" }),
    column("width", "How many numbers it holds for a token.", { format: "integer" }),
    column("mean_norm", "The norm of its mean.", { title: "norm of the mean", digits: 2 }),
    column("rms_norm", "The root of the mean of its squared norm.", { title: "norm", digits: 2 }),
    column("share", "The mean's share of the mean squared norm.", { title: "mean's share", format: "percent" }),
    column("directions", "In how many directions it varies around its mean.", { digits: 1 }),
    column("index", "The number with the largest mean, by size.", {
      title: "largest number",
      format: "integer",
      detail: true,
    }),
    column("largest", "The mean of that number.", { title: "its mean", digits: 2, detail: true }),
    column("deviations", "That mean in standard deviations of the number.", { digits: 1, detail: true }),
  ]);
}

const SHARES: View = {
  ...{ kind: "bar", name: "shares", table: "points", horizontal: true },
  title: "How much of each hook point is its mean",
  caption: "The mean's share of the mean squared norm.",
  x: "hook",
  y: { column: "share", label: "mean's share" },
};
