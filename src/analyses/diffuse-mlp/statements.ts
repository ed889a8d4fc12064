/** The results in sentences, the answer first. */
import { mean } from "simple-statistics";
import type { Baseline, Figure, Statement } from "../../finding/finding.ts";
import type { Comparisons } from "../../measures/diffuse-mlp/comparisons.ts";
import type { DiffuseMlpMeasurement } from "../../measures/diffuse-mlp.ts";
import { listed, percent, quoted } from "../../tensor/words.ts";
import * as known from "./baselines.ts";
import { place, pValue, step } from "./words.ts";

/** How many of the answer's tokens the first sentence names. */
const NAMED = 3;

export function statements(
  measured: DiffuseMlpMeasurement,
  compared: Comparisons,
  baselines: readonly Baseline[],
  eps: number,
): [Statement, ...Statement[]] {
  const there = new Set(baselines.map((b) => b.name));
  const figure = (value: number, unit: string, ...names: [string, ...string[]]): { figure?: Figure } => {
    const [first, ...rest] = names.filter((name) => there.has(name));
    return first === undefined ? {} : { figure: { value, unit, comparedWith: [first, ...rest] } };
  };
  return [
    ...answer(compared, figure),
    standingOut(measured, compared, figure),
    ...notebookChoice(compared, figure),
    ...ratios(compared, eps, figure),
    ...agreement(compared, figure),
  ];
}

const formatted = (count: number) => String(Number(count.toFixed(1)));

type ToFigure = (value: number, unit: string, ...names: [string, ...string[]]) => { figure?: Figure };

function answer({ diffuse, predicting }: Comparisons, figure: ToFigure): [Statement, ...Statement[]] {
  const { positions, high, highFrom, shareUpTo } = diffuse;
  const chance = high / 2;
  const verdict =
    positions.length > chance ? "more than the" : positions.length < chance ? "fewer than the" : "as many as the";
  const rule = `its neurons together add at least ${highFrom.toFixed(2)} logits to the next token (the upper quarter), and none has more than ${percent(shareUpTo)} of the sum of their sizes (the lower half)`;
  if (positions.length === 0)
    return [{ text: `The MLP does not do this at any of the ${predicting.length} tokens: ${rule}.` }];
  const named = positions
    .slice(0, NAMED)
    .map(
      (p) =>
        `${step(p)} (${p.attribution.neurons.toFixed(1)} logits, largest neuron ${percent(p.attribution.maxShare)})`,
    );
  return [
    {
      text: `At ${positions.length} of the ${predicting.length} tokens the MLP matters without any single neuron standing out, ${verdict} ${formatted(chance)} that chance gives.`,
      ...figure(positions.length, "positions", known.UNRELATED),
    },
    { text: `It does so most of all at ${listed(named)}: ${rule}.` },
  ];
}

function standingOut({ nullModel }: DiffuseMlpMeasurement, { predicting }: Comparisons, figure: ToFigure): Statement {
  const share = mean(predicting.map((p) => p.attribution.maxShare));
  const below = predicting.filter((p) => p.attribution.maxShare <= p.attribution.shuffledMaxShare).length;
  return {
    text:
      `On average the largest neuron carries ${percent(share)} of the attribution, compared with ${percent(nullModel.maxShare.mean)} with shuffled output directions. ` +
      `At ${below} of the ${predicting.length} tokens it does not stand out more than that.`,
    ...figure(100 * share, "%", known.SHUFFLED),
  };
}

function notebookChoice({ top, share }: Comparisons, figure: ToFigure): Statement[] {
  if (!share.test || share.rest === undefined) return [];
  const best = top[0];
  return [
    {
      text:
        `The notebook's score is highest at ${quoted(best.token)} (${place(best)}). At its top ${top.length} the largest neuron carries ${percent(share.top)} of the attribution, ` +
        `compared with ${percent(share.rest)} elsewhere (${pValue(share.test.p)}).`,
      ...figure(100 * share.test.difference, "percentage points", known.SHARE_TEST, known.SHARE_INTERVAL),
    },
  ];
}

function ratios({ ratio, candidates }: Comparisons, eps: number, figure: ToFigure): Statement[] {
  if (!ratio) return [];
  const ordinary = candidates.filter((p) => !p.isBos && p.scale !== null);
  const share = mean(ordinary.map((p) => eps / p.scale! ** 2));
  const against =
    ratio.test && ratio.rest !== undefined
      ? `, compared with ${ratio.rest.toFixed(1)} at the others (BOS left out; ${pValue(ratio.test.p)})`
      : "";
  return [
    {
      text:
        `mlp.ln multiplies by ${ratio.top.toFixed(1)} at the top positions${against}. The ratio is 1 / hook_scale, and eps is ${percent(share)} of scale² on average: ` +
        "it shows how small the activations are, and cannot show whether the norm smuggles features through.",
      ...figure(ratio.top, "", known.RATIO_LIMIT, known.RATIO_TEST, known.RATIO_INTERVAL, known.RANDOM_RATIO),
    },
  ];
}

function agreement({ agreement: a }: Comparisons, figure: ToFigure): Statement[] {
  if (Number.isNaN(a.pearson)) return [];
  const worst = a.apart[0];
  return [
    {
      text:
        `Ablation and direct attribution agree with Pearson's r = ${a.pearson.toFixed(2)} (Spearman's ρ = ${a.spearman.toFixed(2)}; with the notebook's mean over the prompt r = ${a.pearsonOfMeans.toFixed(2)}), so they are not equivalent. ` +
        `Apart from the attribution, the loss changes through the other tokens' logits (${a.meanNormaliser.toFixed(2)} nats on average) and through the next token's other terms (${a.meanRestOfLogit.toFixed(2)}). ` +
        `They disagree most at ${step(worst)}: ${worst.nextAblation.loss.toFixed(2)} nats, but ${worst.attribution.neurons.toFixed(2)} logits.`,
      ...figure(a.pearson, "", known.EQUIVALENT, known.PEARSON_INTERVAL, known.SPEARMAN_INTERVAL),
    },
  ];
}
