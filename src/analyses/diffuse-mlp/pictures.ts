/** The pictures of the analysis. */

import type { PictureSpec, ReferenceLine, ScatterSpec, TokensSpec } from "../../finding/picture.ts";
import type { Comparisons, Predicting } from "../../measures/diffuse-mlp/comparisons.ts";
import type { Position } from "../../measures/diffuse-mlp/positions.ts";
import type { DiffuseMlpMeasurement } from "../../measures/diffuse-mlp.ts";
import { quoted } from "../../tensor/words.ts";
import { place, step } from "./words.ts";

export function pictures(
  measured: DiffuseMlpMeasurement,
  compared: Comparisons,
  eps: number,
  count: number,
): readonly PictureSpec[] {
  const shown = compared.diffuse.positions.slice(0, count);
  return [
    attributionTokens(measured, compared),
    spreadScatter(compared),
    ...(shown.length > 0 ? [neuronHeatmap(shown), cumulativeShares(measured)] : []),
    agreementScatter(compared),
    ablationTokens(measured, compared),
    outlierScatter(compared),
    ...(measured.site.norm ? [beforeAfter(compared, eps), ratioHistogram(compared, eps)] : []),
  ];
}

/** The most texts that are drawn as tokens, and the most points in a scatter's background. */
const MOST_TEXTS = 60;
const MOST_POINTS = 2000;

const hover = (p: Position) => (p.next === null ? `${quoted(p.token)}, ${place(p)}` : `${step(p)}, ${place(p)}`);

/** The prompts that are drawn as tokens: all of them, or those with the first marked positions. */
function shownPrompts({ prompts }: DiffuseMlpMeasurement, marked: readonly Position[]): readonly number[] {
  const first = new Set([...marked.map((p) => p.prompt), ...prompts.keys()]);
  return [...first].slice(0, MOST_TEXTS).sort((a, b) => a - b);
}

function texts(
  measured: DiffuseMlpMeasurement,
  values: readonly ((p: Position) => number | null)[],
  marked: readonly Position[],
): TokensSpec["texts"] {
  const byPrompt = measured.prompts.map((): Position[] => []);
  for (const p of measured.positions) byPrompt[p.prompt].push(p);
  const frames = new Set(marked);
  return shownPrompts(measured, marked).map((i) => {
    const here = byPrompt[i];
    return {
      label: String(i),
      tokens: measured.prompts[i].tokens,
      values: values.map((value) => here.map(value)),
      marked: here.filter((p) => frames.has(p)).map((p) => p.pos),
    };
  });
}

/** What a caption adds if not all prompts are drawn. */
function textsNote({ prompts }: DiffuseMlpMeasurement): string {
  return prompts.length > MOST_TEXTS
    ? ` ${MOST_TEXTS} of the ${prompts.length} prompts are shown, those with framed tokens first.`
    : "";
}

/** An evenly spaced selection, if there are too many. */
function thinned<P>(positions: readonly P[]): readonly P[] {
  if (positions.length <= MOST_POINTS) return positions;
  return Array.from({ length: MOST_POINTS }, (_, i) => positions[Math.floor((i * positions.length) / MOST_POINTS)]);
}

/** What a caption adds if not all points are drawn. */
function pointsNote(others: number): string {
  return others > MOST_POINTS ? ` Of the ${others} other positions, ${MOST_POINTS} are shown, evenly spaced.` : "";
}

function attributionTokens(measured: DiffuseMlpMeasurement, { diffuse }: Comparisons): TokensSpec {
  return {
    kind: "tokens",
    name: "attribution-tokens",
    part: "attribution",
    title: "What the MLP at each token adds to the logit of the next one",
    caption:
      "Blue: the neurons together promote the token that comes next. Framed: they do so strongly, and no neuron stands out. Point at a token to see its values." +
      textsNote(measured),
    rows: [{ title: "MLP attribution", unit: "logits" }],
    hover: [{ title: "largest neuron's share" }, { title: "effective neurons" }, { title: "loss", unit: "nats" }],
    texts: texts(
      measured,
      [
        (p) => p.attribution?.neurons ?? null,
        (p) => p.attribution?.maxShare ?? null,
        (p) => p.attribution?.effectiveNeurons ?? null,
        (p) => p.loss,
      ],
      diffuse.positions,
    ),
    marks: "high attribution, no high neuron",
  };
}

function spreadScatter({ predicting, diffuse }: Comparisons): ScatterSpec {
  const chosen = new Set(diffuse.positions);
  const others = predicting.filter((p) => !chosen.has(p));
  const series = (name: string, positions: readonly Predicting[], labelled = 0) => ({
    name,
    x: positions.map((p) => p.attribution.neurons),
    y: positions.map((p) => 100 * p.attribution.maxShare),
    titles: positions.map(hover),
    ...(labelled ? { labels: positions.map((p, i) => (i < labelled ? p.token.trim() : "")) } : {}),
  });
  return {
    kind: "scatter",
    name: "attribution-share",
    part: "attribution",
    title: "How much the MLP adds, and how much of it is one neuron",
    caption:
      "The answer is at the lower right: a high attribution that no neuron dominates." + pointsNote(others.length),
    x: { label: "MLP attribution", unit: "logits" },
    y: { label: "largest neuron's share", unit: "%", scale: "log" },
    series: [series("other positions", thinned(others)), series("high and diffuse", diffuse.positions, 5)],
    references: [
      { kind: "x", at: diffuse.highFrom, label: "upper quarter" },
      { kind: "y", at: 100 * diffuse.shareUpTo, label: "median" },
    ],
  };
}

function neuronHeatmap(shown: readonly Predicting[]): PictureSpec {
  const width = Math.max(...shown.map((p) => p.attribution.top.length));
  return {
    kind: "imshow",
    name: "neurons",
    part: "attribution",
    title: "The neurons behind the top tokens",
    caption:
      "Each row is a position and its neurons, the largest first. Blue ones promote the next token, red ones suppress it. In evenly pale rows the attribution is spread out.",
    values: shown.map((p) => p.attribution.top.map(([, logits]) => logits)),
    titles: shown.map((p) =>
      p.attribution.top.map(([neuron, logits]) => `${hover(p)}\nneuron ${neuron}: ${logits.toFixed(3)} logits`),
    ),
    x: { label: "neurons, the largest first", ticks: Array.from({ length: width }, (_, i) => String(i + 1)) },
    y: { ticks: shown.map((p) => `${p.token} →${p.next} (${p.prompt}:${p.pos})`) },
    color: { label: "attribution", unit: "logits" },
  };
}

function cumulativeShares({ cumulative, nullModel }: DiffuseMlpMeasurement): PictureSpec {
  const points = counts(cumulative.length);
  const line = (name: string, shares: Float64Array) => ({
    name,
    x: points,
    y: points.map((n) => 100 * shares[n - 1]),
  });
  return {
    kind: "line",
    name: "cumulative",
    part: "attribution",
    title: "How many neurons it takes",
    caption: "The share of Σ |a| that the largest neurons make up, averaged over all positions.",
    x: { label: "neurons, the largest first", scale: "log" },
    y: { label: "share of Σ |a|", unit: "%", domain: [0, 100] },
    series: [line("the model", cumulative), line("shuffled directions", nullModel.cumulative)],
    references: [
      { kind: "y", at: 50, label: "50 %" },
      { kind: "y", at: 90, label: "90 %" },
    ],
  };
}

/** 1, 2, 3, ... up to n, thinned out to what a logarithmic axis can show. */
function counts(n: number): number[] {
  const all = Array.from({ length: 81 }, (_, i) => Math.round(n ** (i / 80)));
  return [...new Set(all)];
}

function agreementScatter({ predicting, agreement }: Comparisons): ScatterSpec {
  const apart = new Set(agreement.apart.slice(0, 5));
  const others = predicting.filter((p) => !apart.has(p));
  const series = (name: string, positions: readonly Predicting[], labelled: boolean) => ({
    name,
    x: positions.map((p) => p.attribution.neurons),
    y: positions.map((p) => p.nextAblation.loss),
    titles: positions.map(hover),
    ...(labelled ? { labels: positions.map((p) => `${p.token}→${p.next}`.trim()) } : {}),
  });
  return {
    kind: "scatter",
    name: "ablation-attribution",
    part: "agreement",
    title: "The loss without the MLP, and what the MLP adds directly",
    caption:
      "On the line, the two measures agree. Only the predicted token's own loss is counted." +
      pointsNote(others.length),
    x: { label: "MLP attribution", unit: "logits" },
    y: { label: "loss change when ablated", unit: "nats" },
    series: [series("other positions", thinned(others), false), series("furthest apart", [...apart], true)],
    references: [{ kind: "slope", slope: 1, label: "equal" }],
  };
}

function ablationTokens(measured: DiffuseMlpMeasurement, { top }: Comparisons): TokensSpec {
  return {
    kind: "tokens",
    name: "ablation-tokens",
    part: "notebook",
    title: "What zeroing the MLP at each token does to the prompt's loss",
    caption:
      "Blue: the loss rises without the MLP there. The last token of a prompt has no counted prediction, so it is always 0." +
      textsNote(measured),
    rows: [{ title: "ablation effect", unit: "nats" }],
    hover: [{ title: "outlier score" }, { title: "score" }],
    texts: texts(measured, [(p) => p.ablation, (p) => p.outlier, (p) => p.score], top),
    marks: `among the top ${top.length} by score`,
  };
}

/** The notebook's two groups of positions. */
function chosenAndOthers(
  { candidates, top }: Comparisons,
  x: (p: Position) => number | null,
  y: (p: Position) => number | null,
  labelled = 0,
): ScatterSpec["series"] {
  const chosen = new Set(top);
  const group = (name: string, positions: readonly Position[]) => ({
    name,
    x: positions.map(x),
    y: positions.map(y),
    titles: positions.map(hover),
  });
  return [
    group("other positions", thinned(candidates.filter((p) => !chosen.has(p)))),
    {
      ...group(`top ${top.length} by score`, top),
      ...(labelled ? { labels: top.map((p, i) => (i < labelled ? p.token.trim() : "")) } : {}),
    },
  ];
}

function outlierScatter(compared: Comparisons): ScatterSpec {
  return {
    kind: "scatter",
    name: "ablation-outlier",
    part: "notebook",
    title: "Ablation effect against inverse outlier score",
    caption:
      "The score is the product of the two axes, so it favours positions whose activations are small." +
      pointsNote(compared.candidates.length - compared.top.length),
    x: { label: "1 / (max − mean)" },
    y: { label: "ablation effect", unit: "nats" },
    series: chosenAndOthers(
      compared,
      (p) => (p.outlier === 0 ? null : 1 / p.outlier),
      (p) => p.ablation,
      3,
    ),
    references: [{ kind: "y", at: 0, label: "no effect" }],
  };
}

function limit(eps: number): number {
  return 1 / Math.sqrt(eps);
}

function beforeAfter(compared: Comparisons, eps: number): ScatterSpec {
  return {
    kind: "scatter",
    name: "before-after",
    part: "notebook",
    title: "Outlier score before and after mlp.ln",
    caption:
      "On the line the norm multiplies by its limit 1/√eps: eps decides, whatever the token is. Below the line, the activations are large enough to be normalised." +
      pointsNote(compared.candidates.length - compared.top.length),
    x: { label: "max − mean before", scale: "log" },
    y: { label: "max − mean after", scale: "log" },
    series: chosenAndOthers(
      compared,
      (p) => p.outlier,
      (p) => p.outlierAfter,
    ),
    references: [{ kind: "slope", slope: limit(eps), label: `slope 1/√eps = ${limit(eps).toFixed(1)}` }],
  };
}

function ratioHistogram({ candidates, top }: Comparisons, eps: number): PictureSpec {
  const ratios = (positions: readonly Position[]) => positions.map((p) => (p.scale === null ? null : 1 / p.scale));
  const ordinary = candidates.filter((p) => !p.isBos);
  const left = candidates.length - ordinary.length;
  const bos = candidates.find((p) => p.isBos && p.scale !== null);
  const references: ReferenceLine[] = [{ kind: "x", at: limit(eps), label: `limit ${limit(eps).toFixed(1)}` }];
  return {
    kind: "hist",
    name: "ratio",
    part: "notebook",
    title: "Ratio of the outlier scores after and before mlp.ln",
    caption:
      `It equals 1 / mlp.ln.hook_scale.` +
      (bos ? ` The ${left} BOS positions are left out; their ratio is ${(1 / bos.scale!).toFixed(1)}.` : ""),
    x: { label: "after / before" },
    of: "positions",
    series: [
      { name: "all", values: ratios(ordinary) },
      { name: `top ${top.length} by score`, values: ratios(top.filter((p) => !p.isBos)) },
    ],
    references,
  };
}
