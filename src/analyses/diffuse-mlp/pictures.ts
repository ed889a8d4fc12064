/** The pictures of the analysis. */

import { PROMPT, TOKEN } from "../../finding/columns.ts";
import type { HistView, ScatterView, SeriesOf, TokensView, View } from "../../finding/view.ts";
import type { Comparisons } from "../../measures/diffuse-mlp/comparisons.ts";
import type { DiffuseMlpMeasurement } from "../../measures/diffuse-mlp.ts";

/** The most texts that are drawn as tokens, and the most points of a scatter's series. */
const MOST_TEXTS = 60;
const MOST_POINTS = 2000;

export function pictures(measured: DiffuseMlpMeasurement, compared: Comparisons, eps: number): readonly View[] {
  return [
    attributionTokens(measured),
    spreadScatter(compared),
    ...(compared.diffuse.positions.length > 0 ? [NEURONS, CUMULATIVE] : []),
    agreementScatter(compared),
    ablationTokens(measured, compared),
    outlierScatter(compared),
    ...(measured.site.norm ? [beforeAfter(compared, eps), ratioHistogram(compared, eps)] : []),
  ];
}

/** All positions of all prompts, as tokens. */
const TOKENS = { kind: "tokens", table: "positions", text: PROMPT.name, token: TOKEN.name, most: MOST_TEXTS } as const;
/** All positions, as points. */
const POINTS = { kind: "scatter", table: "positions", most: MOST_POINTS, thin: "evenly" } as const;

/** What a caption adds if not all prompts are drawn. */
function textsNote({ prompts }: DiffuseMlpMeasurement): string {
  return prompts.length > MOST_TEXTS
    ? ` ${MOST_TEXTS} of the ${prompts.length} prompts are shown, those with framed tokens first.`
    : "";
}

/** What a caption adds if not all points are drawn. */
function pointsNote(others: number): string {
  return others > MOST_POINTS ? ` Of the ${others} other positions, ${MOST_POINTS} are shown, evenly spaced.` : "";
}

function attributionTokens(measured: DiffuseMlpMeasurement): TokensView {
  return {
    ...TOKENS,
    name: "attribution-tokens",
    part: "attribution",
    title: "What the MLP at each token adds to the logit of the next one",
    caption:
      "Blue: the neurons together promote the token that comes next. Framed: they do so strongly, and no neuron stands out." +
      textsNote(measured),
    rows: ["attribution"],
    hover: ["max_share", "effective_neurons", "loss"],
    marked: { diffuse: true },
    marks: "high attribution, no high neuron",
  };
}

function spreadScatter({ predicting, diffuse }: Comparisons): ScatterView {
  return {
    ...POINTS,
    name: "attribution-share",
    part: "attribution",
    title: "How much the MLP adds, and how much of it is one neuron",
    caption:
      "The answer is at the lower right: a high attribution that no neuron dominates." +
      pointsNote(predicting.length - diffuse.positions.length),
    where: { predicting: true },
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
  };
}

const NEURONS: View = {
  kind: "imshow",
  name: "neurons",
  part: "attribution",
  title: "The neurons behind the top tokens",
  caption:
    "Each row is a position and its neurons, the largest first. Blue ones promote the next token, red ones suppress it. In evenly pale rows the attribution is spread out.",
  table: "neurons",
  x: "place",
  y: { column: "step", label: "" },
  color: "attribution",
};

const CUMULATIVE: View = {
  kind: "line",
  name: "cumulative",
  part: "attribution",
  title: "How many neurons it takes",
  caption: "The share of Σ |a| that the largest neurons make up, averaged over all positions.",
  table: "cumulative",
  x: { column: "neurons", scale: "log" },
  y: { column: ["share", "shuffled"], label: "share of Σ |a|", domain: [0, 100] },
  references: [
    { kind: "y", at: 50, label: "50 %" },
    { kind: "y", at: 90, label: "90 %" },
  ],
};

function agreementScatter({ predicting, agreement }: Comparisons): ScatterView {
  return {
    ...POINTS,
    name: "ablation-attribution",
    part: "agreement",
    title: "The loss without the MLP, and what the MLP adds directly",
    caption:
      "On the line, the two measures agree. Only the predicted token's own loss is counted." +
      pointsNote(predicting.length - Math.min(5, agreement.apart.length)),
    where: { predicting: true },
    x: "attribution",
    y: { column: "loss_change", label: "loss change when ablated" },
    series: [
      { name: "other positions", where: { apart: false } },
      { name: "furthest apart", where: { apart: true }, label: TOKEN.name },
    ],
    references: [{ kind: "slope", slope: 1, label: "equal" }],
  };
}

function ablationTokens(measured: DiffuseMlpMeasurement, { top }: Comparisons): TokensView {
  return {
    ...TOKENS,
    name: "ablation-tokens",
    part: "notebook",
    title: "What zeroing the MLP at each token does to the prompt's loss",
    caption:
      "Blue: the loss rises without the MLP there. The last token of a prompt has no counted prediction, so it is always 0." +
      textsNote(measured),
    rows: ["ablation"],
    hover: ["outlier", "score"],
    marked: { top: true },
    marks: `among the top ${top.length} by score`,
  };
}

/** The notebook's two groups of positions. */
function chosenAndOthers({ top }: Comparisons, labels?: Omit<SeriesOf, "name" | "where">): readonly SeriesOf[] {
  return [
    { name: "other positions", where: { top: false } },
    { name: `top ${top.length} by score`, where: { top: true }, ...labels },
  ];
}

function outlierScatter(compared: Comparisons): ScatterView {
  return {
    ...POINTS,
    name: "ablation-outlier",
    part: "notebook",
    title: "Ablation effect against inverse outlier score",
    caption:
      "The score is the product of the two axes, so it favours positions whose activations are small." +
      pointsNote(compared.candidates.length - compared.top.length),
    where: { candidate: true },
    x: "inverse_outlier",
    y: "ablation",
    series: chosenAndOthers(compared, { label: TOKEN.name, labels: 3, labelsBy: "score" }),
    references: [{ kind: "y", at: 0, label: "no effect" }],
  };
}

function limit(eps: number): number {
  return 1 / Math.sqrt(eps);
}

function beforeAfter(compared: Comparisons, eps: number): ScatterView {
  return {
    ...POINTS,
    name: "before-after",
    part: "notebook",
    title: "Outlier score before and after mlp.ln",
    caption:
      "On the line the norm multiplies by its limit 1/√eps: eps decides, whatever the token is. Below the line, the activations are large enough to be normalised." +
      pointsNote(compared.candidates.length - compared.top.length),
    where: { candidate: true },
    x: { column: "outlier", label: "max − mean before", scale: "log" },
    y: { column: "outlier_after", label: "max − mean after", scale: "log" },
    series: chosenAndOthers(compared),
    references: [{ kind: "slope", slope: limit(eps), label: `slope 1/√eps = ${limit(eps).toFixed(1)}` }],
  };
}

function ratioHistogram({ candidates, top }: Comparisons, eps: number): HistView {
  const begins = candidates.filter((p) => p.isBos);
  const bos = begins.find((p) => p.scale !== null);
  return {
    kind: "hist",
    name: "ratio",
    part: "notebook",
    title: "Ratio of the outlier scores after and before mlp.ln",
    caption:
      `It equals 1 / mlp.ln.hook_scale.` +
      (bos ? ` The ${begins.length} BOS positions are left out; their ratio is ${(1 / bos.scale!).toFixed(1)}.` : ""),
    table: "positions",
    where: { candidate: true, bos: false },
    value: "ratio",
    x: { label: "after / before" },
    of: "positions",
    series: [{ name: "all" }, { name: `top ${top.length} by score`, where: { top: true } }],
    references: [{ kind: "x", at: limit(eps), label: `limit ${limit(eps).toFixed(1)}` }],
  };
}
