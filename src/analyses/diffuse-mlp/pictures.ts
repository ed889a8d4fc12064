/** The pictures of the analysis, part by part. */

import { PROMPT, TOKEN } from "../../finding/columns.ts";
import type { View } from "../../finding/view.ts";
import type { Comparisons } from "../../measures/diffuse-mlp/comparisons.ts";
import type { DiffuseMlpMeasurement } from "../../measures/diffuse-mlp.ts";

/** The most texts that are drawn as tokens, and the most points of a scatter's series. */
const MOST_TEXTS = 60;
const MOST_POINTS = 2000;
/** All positions of all prompts, as tokens. */
const TOKENS = { kind: "tokens", table: "positions", text: PROMPT.name, token: TOKEN.name, most: MOST_TEXTS } as const;
/** All positions, as points. */
const POINTS = { kind: "scatter", table: "positions", most: MOST_POINTS, thin: "evenly" } as const;

/** What a caption adds if not all prompts are drawn. */
function textsNote({ prompts }: DiffuseMlpMeasurement): string {
  if (prompts.length <= MOST_TEXTS) return "";
  return ` ${MOST_TEXTS} of the ${prompts.length} prompts are shown, those with framed tokens first.`;
}

/** What a caption adds if not all points are drawn. */
function pointsNote(others: number): string {
  return others > MOST_POINTS ? ` Of the ${others} other positions, ${MOST_POINTS} are shown, evenly spaced.` : "";
}

export function pictures(measured: DiffuseMlpMeasurement, compared: Comparisons, eps: number): readonly View[] {
  return [
    ...attributionViews(measured, compared),
    agreementView(compared),
    ...notebookViews(measured, compared),
    ...(measured.site.norm ? normViews(compared, 1 / Math.sqrt(eps)) : []),
  ];
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

function agreementView({ predicting, agreement }: Comparisons): View {
  return {
    ...{ ...POINTS, name: "ablation-attribution", part: "agreement", where: { predicting: true } },
    title: "The loss without the MLP, and what the MLP adds directly",
    caption: `On the line, the two measures agree. Only the predicted token's own loss is counted.${pointsNote(predicting.length - Math.min(5, agreement.apart.length))}`,
    x: "attribution",
    y: { column: "loss_change", label: "loss change when ablated" },
    series: [
      { name: "other positions", where: { apart: false } },
      { name: "furthest apart", where: { apart: true }, label: TOKEN.name },
    ],
    references: [{ kind: "slope", slope: 1, label: "equal" }],
  };
}

function notebookViews(measured: DiffuseMlpMeasurement, { candidates, top }: Comparisons): View[] {
  const part = "notebook";
  return [
    {
      ...{ ...TOKENS, name: "ablation-tokens", part },
      title: "What zeroing the MLP at each token does to the prompt's loss",
      caption: `Blue: the loss rises without the MLP there. The last token of a prompt has no counted prediction, so it is always 0.${textsNote(measured)}`,
      ...{ rows: ["ablation"], hover: ["outlier", "score"] },
      ...{ marked: { top: true }, marks: `among the top ${top.length} by score` },
    },
    {
      ...{ ...POINTS, name: "ablation-outlier", part, where: { candidate: true } },
      title: "Ablation effect against inverse outlier score",
      caption: `The score is the product of the two axes, so it favours positions whose activations are small.${pointsNote(candidates.length - top.length)}`,
      ...{ x: "inverse_outlier", y: "ablation" },
      series: chosenAndOthers(top.length, { label: TOKEN.name, labels: 3, labelsBy: "score" }),
      references: [{ kind: "y", at: 0, label: "no effect" }],
    },
  ];
}

/** The notebook's two groups of positions. */
function chosenAndOthers(count: number, labels: { label?: string; labels?: number; labelsBy?: string } = {}) {
  return [
    { name: "other positions", where: { top: false } },
    { name: `top ${count} by score`, where: { top: true }, ...labels },
  ];
}

/** @param limit of the ratio: 1/√eps */
function normViews({ candidates, top }: Comparisons, limit: number): View[] {
  const begins = candidates.filter((p) => p.bos);
  const [bos] = begins;
  const left = bos ? ` The ${begins.length} BOS positions are left out; their ratio is ${bos.ratio!.toFixed(1)}.` : "";
  return [
    {
      ...{ ...POINTS, name: "before-after", part: "notebook", where: { candidate: true } },
      title: "Outlier score before and after mlp.ln",
      caption: `On the line the norm multiplies by its limit 1/√eps: eps decides, whatever the token is. Below the line, the activations are large enough to be normalised.${pointsNote(candidates.length - top.length)}`,
      x: { column: "outlier", label: "max − mean before", scale: "log" },
      y: { column: "outlier_after", label: "max − mean after", scale: "log" },
      series: chosenAndOthers(top.length),
      references: [{ kind: "slope", slope: limit, label: `slope 1/√eps = ${limit.toFixed(1)}` }],
    },
    {
      ...{ kind: "hist", name: "ratio", part: "notebook", table: "positions", where: { candidate: true, bos: false } },
      title: "Ratio of the outlier scores after and before mlp.ln",
      caption: `It equals 1 / mlp.ln.hook_scale.${left}`,
      ...{ value: "ratio", x: { label: "after / before" }, of: "positions" },
      series: [{ name: "all" }, { name: `top ${top.length} by score`, where: { top: true } }],
      references: [{ kind: "x", at: limit, label: `limit ${limit.toFixed(1)}` }],
    },
  ];
}
