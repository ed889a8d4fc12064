/** The tables of the analysis. */
import { NEURON, NEXT, POS, PROMPT, TOKEN } from "../../finding/columns.ts";
import { as, type Cell, type Column, column, type Table, tableOf } from "../../finding/table.ts";
import type { Comparisons, Predicting } from "../../measures/diffuse-mlp/comparisons.ts";
import type { Position } from "../../measures/diffuse-mlp/positions.ts";
import type { DiffuseMlpMeasurement } from "../../measures/diffuse-mlp.ts";
import { EQUIVALENT, PEARSON_INTERVAL, RANDOM_ABLATION, RANDOM_RATIO, RATIO_LIMIT, SHUFFLED } from "./baselines.ts";
import {
  ATTRIBUTION,
  ablation,
  apart,
  attribution,
  details,
  INVERSE,
  lastDetails,
  next,
  outliers,
  score,
  spread,
  where,
} from "./columns.ts";

/** Which of the groups that the pictures compare a position is in. */
function groups({ candidates, predicting, diffuse, agreement, top }: Comparisons): Cell<Position>[] {
  const of = (name: string, title: string, positions: readonly Position[], description: string): Cell<Position> => {
    const chosen = new Set(positions);
    return [{ name, title, detail: true, description }, (p) => chosen.has(p)];
  };
  return [
    of("candidate", "candidate", candidates, "Whether it counts in the notebook's steps."),
    of("predicting", "predicting", predicting, "Whether it has a next token that counts."),
    of("diffuse", "high and diffuse", diffuse.positions, "Whether its attribution is high and no neuron stands out."),
    of("apart", "furthest apart", agreement.apart.slice(0, 5), "Whether ablation and attribution are furthest apart."),
    of("top", "top by score", top, "Whether it is among the highest scores."),
  ];
}

/** The neurons behind the top positions, the largest first. */
function neurons(shown: readonly Predicting[]): Table {
  const rows = shown.flatMap((p) => p.attribution.top.map(([neuron, logits], place) => ({ p, neuron, logits, place })));
  const about = { name: "neurons", title: "The neurons behind the top tokens", part: "attribution", detail: true };
  return tableOf(about, rows, [
    [PROMPT, ({ p }) => p.prompt],
    [POS, ({ p }) => p.pos],
    [TOKEN, ({ p }) => p.token],
    [NEXT, ({ p }) => p.next],
    [STEP, ({ p }) => `${p.token} →${p.next} (${p.prompt}:${p.pos})`],
    [PLACE, ({ place }) => place + 1],
    [NEURON, "neuron"],
    [as(ATTRIBUTION, { title: "attribution", digits: 3, description: "What it adds." }), "logits"],
  ]);
}

const STEP = column("step", "The token, the next one, and where: prompt:position.", {
  title: "position",
  format: "text",
  detail: true,
});
const PLACE = column("place", "1 is the neuron with the largest |attribution| there.", {
  title: "neurons, the largest first",
  format: "integer",
  detail: true,
});

/** How much of Σ |a| the largest neurons make up: 1, 2, 3, ... of them, thinned out to what a logarithmic axis can show. */
function cumulative({ cumulative: shares, nullModel }: DiffuseMlpMeasurement): Table {
  const counts = new Set(Array.from({ length: 81 }, (_, i) => Math.round(shares.length ** (i / 80))));
  const share = (name: string, title: string): Column => ({
    name,
    title,
    format: "percent",
    description: "Their share of Σ |a|, averaged over all positions.",
  });
  const about = { name: "cumulative", title: "How many neurons it takes", part: "attribution", detail: true };
  return tableOf(
    about,
    [...counts],
    [
      [column("neurons", "How many.", { title: "neurons, the largest first", format: "integer" }), (n) => n],
      [share("share", "the model"), (n) => shares[n - 1]],
      [share("shuffled", "shuffled directions"), (n) => nullModel.cumulative[n - 1]],
    ],
  );
}

export function tables(
  measured: DiffuseMlpMeasurement,
  compared: Comparisons,
  eps: number,
  count: number,
): readonly Table[] {
  const { agreement, diffuse } = compared;
  return [
    tableOf(
      {
        name: "diffuse",
        title: "High attribution, no high neuron",
        caption: `The ${Math.min(count, diffuse.positions.length)} highest attributions among the ${diffuse.positions.length} positions that are in the upper quarter by attribution and in the lower half by the largest neuron's share.`,
        part: "attribution",
        comparedWith: [SHUFFLED],
      },
      diffuse.positions.slice(0, count),
      [...where, next, attribution, ...spread],
    ),
    tableOf(
      {
        name: "apart",
        title: "Where ablation and attribution disagree",
        caption:
          "The positions where the loss changes by more, or less, than the attribution says. Where several texts begin the same way, only one is listed.",
        part: "agreement",
        comparedWith: [EQUIVALENT, ...(agreement.pearsonInterval ? [PEARSON_INTERVAL] : [])],
      },
      agreement.apart.slice(0, count),
      [...where, next, ...apart],
    ),
    ...notebookTables(measured, compared, eps),
    neurons(diffuse.positions.slice(0, count)),
    cumulative(measured),
  ];
}

/** The notebook's own: positions by score, and drawn at random. */
function notebookTables({ site, positions }: DiffuseMlpMeasurement, compared: Comparisons, eps: number) {
  const { ratio, top, random } = compared;
  const scored: readonly Cell<Position>[] = [...where, ablation, ...outliers(site, eps), score];
  return [
    tableOf(
      {
        name: "top",
        title: "The highest scores",
        caption: "Positions that matter but have no outlier, by the notebook's measure.",
        part: "notebook",
        comparedWith: [RANDOM_ABLATION, ...(ratio ? [RATIO_LIMIT, RANDOM_RATIO] : [])],
      },
      top,
      scored,
    ),
    tableOf(
      {
        name: "random",
        title: "Random positions",
        caption: "The same number of positions drawn at random, as in the notebook, but with a seed.",
        part: "notebook",
        ...(ratio ? { comparedWith: [RATIO_LIMIT] } : {}),
      },
      random,
      scored,
    ),
    tableOf({ name: "positions", title: "All positions", part: "notebook", detail: true }, positions, [
      ...where,
      next,
      ...details,
      ...scored.slice(where.length),
      attribution,
      ...spread,
      ...lastDetails,
      [INVERSE, (p) => (p.outlier === 0 ? null : 1 / p.outlier)],
      [column("bos", "Whether it is BOS.", { title: "BOS", detail: true }), (p) => p.isBos],
      ...groups(compared),
    ]),
  ];
}
