/** The answer: where the neurons together add much to the next token's logit, and none of them stands out. */
import { mean } from "simple-statistics";
import { NEURON, NEXT, TOKEN } from "../../finding/columns.ts";
import type { Baseline } from "../../finding/finding.ts";
import { as, type Column, column, type Table, tableOf } from "../../finding/table.ts";
import type { View } from "../../finding/view.ts";
import { type Comparisons, neuronsAt } from "../../measures/diffuse-mlp/comparisons.ts";
import type { DiffuseMlpMeasurement } from "../../measures/diffuse-mlp.ts";
import { listed, percent } from "../../tensor/words.ts";
import {
  type Answered,
  ATTRIBUTION,
  figure,
  NEXT_TOKEN,
  POINTS,
  pointsNote,
  type Result,
  SPREAD,
  scaled,
  step,
  TOKENS,
  textsNote,
  WHERE,
} from "./shared.ts";

const PART = {
  name: "attribution",
  title: "Attribution: much from the MLP, little from any neuron",
  text: "What each neuron does directly to the logit of the token that comes next, computed exactly.",
};
const SHUFFLED = "shuffled directions";
/** How many of the answer's tokens the first sentence names. */
const NAMED = 3;

/** @param seed of the shuffles @param count how many positions are listed */
export function attribution(
  measured: DiffuseMlpMeasurement,
  compared: Comparisons,
  seed: number,
  count: number,
): Answered {
  const found = [answer(compared), standingOut(measured, compared, seed)];
  return {
    part: PART,
    summary: found.flatMap(({ summary }) => summary),
    pictures: attributionViews(measured, compared),
    tables: attributionTables(measured, compared, count),
    baselines: found.flatMap(({ baselines }) => baselines),
  };
}

function answer({ diffuse, predicting }: Comparisons): Result {
  const { positions, high, highFrom, shareUpTo } = diffuse;
  const chance = high / 2;
  const baselines: Baseline[] = [
    {
      name: "high and diffuse by chance",
      kind: "reference value",
      text: "How many of the positions with a high attribution would have a share below the median if the two were unrelated: half.",
      ...{ value: chance, unit: "positions" },
    },
  ];
  const rule = `its neurons together add at least ${highFrom.toFixed(2)} logits to the next token (the upper quarter), and none has more than ${percent(shareUpTo)} of the sum of their sizes (the lower half)`;
  if (positions.length === 0) {
    const text = `The MLP does not do this at any of the ${predicting.length} tokens: ${rule}.`;
    return { summary: [{ text }], baselines };
  }
  const count = positions.length;
  const verdict = count > chance ? "more than the" : count < chance ? "fewer than the" : "as many as the";
  const named = positions
    .slice(0, NAMED)
    .map((p) => `${step(p)} (${p.attribution.toFixed(1)} logits, largest neuron ${percent(p.max_share)})`);
  return {
    summary: [
      {
        text: `At ${count} of the ${predicting.length} tokens the MLP matters without any single neuron standing out, ${verdict} ${Number(chance.toFixed(1))} that chance gives.`,
        ...figure(count, "positions", baselines),
      },
      { text: `It does so most of all at ${listed(named)}: ${rule}.` },
    ],
    baselines,
  };
}

function standingOut({ nullModel }: DiffuseMlpMeasurement, { predicting }: Comparisons, seed: number): Result {
  const { maxShare, shuffles } = nullModel;
  const share = mean(predicting.map((p) => p.max_share));
  const below = predicting.filter((p) => p.max_share <= p.shuffled_max_share).length;
  const shuffled: Baseline = {
    name: SHUFFLED,
    kind: "null model",
    text:
      "The mean share of the largest neuron when every neuron keeps its activation but writes in another neuron's direction. " +
      "The interval covers the shuffles' means; p is how often a shuffle's mean is as far from their centre as the model's.",
    ...{ value: 100 * maxShare.mean, unit: "%", interval: scaled(maxShare.interval, 100), level: 0.95 },
    ...{ p: maxShare.p, samples: shuffles, seed },
  };
  const all: Baseline = {
    name: "all positions",
    kind: "control",
    text: `The mean share of the largest neuron over all ${predicting.length} positions that predict a token.`,
    ...{ value: 100 * share, unit: "%" },
  };
  return {
    summary: [
      {
        text:
          `On average the largest neuron carries ${percent(share)} of the attribution, compared with ${percent(maxShare.mean)} with shuffled output directions. ` +
          `At ${below} of the ${predicting.length} tokens it does not stand out more than that.`,
        ...figure(100 * share, "%", [shuffled]),
      },
    ],
    baselines: [shuffled, all],
  };
}

function attributionViews(measured: DiffuseMlpMeasurement, { predicting, diffuse }: Comparisons): View[] {
  const part = "attribution";
  return [
    {
      ...{ ...TOKENS, name: "attribution-tokens", part },
      title: "What the MLP at each token adds to the logit of the next one",
      caption: `Blue: the neurons together promote the token that comes next. Framed: they do so strongly, and no neuron stands out.${textsNote(measured)}`,
      rows: ["attribution"],
      hover: ["max_share", "effective_neurons", "loss"],
      ...{ marked: { diffuse: true }, marks: "high attribution, no high neuron" },
    },
    {
      ...{ ...POINTS, name: "attribution-share", part, where: { predicting: true } },
      title: "How much the MLP adds, and how much of it is one neuron",
      caption: `The answer is at the lower right: a high attribution that no neuron dominates.${pointsNote(predicting.length - diffuse.positions.length)}`,
      x: "attribution",
      y: { column: "max_share", label: "largest neuron's share", scale: "log" },
      series: [
        { name: "other positions", where: { diffuse: false } },
        { name: "high and diffuse", where: { diffuse: true }, label: TOKEN.name, labels: 5, labelsBy: "attribution" },
      ],
      references: [
        { kind: "x", at: diffuse.highFrom, label: "upper quarter" },
        { kind: "y", at: 100 * diffuse.shareUpTo, label: "median" },
      ],
    },
    ...(diffuse.positions.length > 0 ? [NEURONS, CUMULATIVE] : []),
  ];
}

const NEURONS: View = {
  ...{ kind: "imshow", name: "neurons", part: "attribution", table: "neurons" },
  title: "The neurons behind the top tokens",
  caption:
    "Each row is a position and its neurons, the largest first. Blue ones promote the next token, red ones suppress it. In evenly pale rows the attribution is spread out.",
  ...{ x: "place", y: { column: "step", label: "" }, color: "attribution" },
};

const CUMULATIVE: View = {
  ...{ kind: "line", name: "cumulative", part: "attribution", table: "cumulative" },
  title: "How many neurons it takes",
  caption: "The share of Σ |a| that the largest neurons make up, averaged over all positions.",
  x: { column: "neurons", scale: "log" },
  y: { column: ["share", "shuffled"], label: "share of Σ |a|", domain: [0, 100] },
  references: [50, 90].map((at) => ({ kind: "y", at, label: `${at} %` })),
};

function attributionTables(measured: DiffuseMlpMeasurement, { diffuse }: Comparisons, count: number): Table[] {
  const listed = diffuse.positions.slice(0, count);
  return [
    tableOf(
      {
        name: "diffuse",
        title: "High attribution, no high neuron",
        caption: `The ${listed.length} highest attributions among the ${diffuse.positions.length} positions that are in the upper quarter by attribution and in the lower half by the largest neuron's share.`,
        part: "attribution",
        comparedWith: [SHUFFLED],
      },
      listed,
      [...WHERE, NEXT_TOKEN, ATTRIBUTION, ...SPREAD],
    ),
    tableOf(
      { name: "neurons", title: "The neurons behind the top tokens", part: "attribution", detail: true },
      neuronsAt(listed),
      [
        ...[...WHERE, NEXT],
        [STEP, ({ token, next, prompt, pos }) => `${token} →${next} (${prompt}:${pos})`],
        column("place", "1 is the neuron with the largest |attribution| there.", {
          title: "neurons, the largest first",
          format: "integer",
          detail: true,
        }),
        NEURON,
        as(ATTRIBUTION, { title: "attribution", digits: 3, description: "What it adds." }),
      ],
    ),
    cumulative(measured),
  ];
}

const STEP = column("step", "The token, the next one, and where: prompt:position.", {
  title: "position",
  format: "text",
  detail: true,
});

/** How much of Σ |a| the largest neurons make up: 1, 2, 3, ... of them, thinned out to what a logarithmic axis can show. */
function cumulative({ cumulative: shares, nullModel }: DiffuseMlpMeasurement): Table {
  const counts = new Set(Array.from({ length: 81 }, (_, i) => Math.round(shares.length ** (i / 80))));
  const about = { name: "cumulative", title: "How many neurons it takes", part: "attribution", detail: true };
  const share = (name: string, title: string): Column =>
    column(name, "Their share of Σ |a|, averaged over all positions.", { title, format: "percent" });
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
