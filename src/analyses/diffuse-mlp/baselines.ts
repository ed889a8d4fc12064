/** What the numbers are compared with. Baselines that cannot be computed (too few positions) are left out. */
import { mean } from "simple-statistics";
import type { Baseline } from "../../finding/finding.ts";
import type { ComparisonOptions, Comparisons, GroupComparison } from "../../measures/diffuse-mlp/comparisons.ts";
import type { DiffuseMlpMeasurement } from "../../measures/diffuse-mlp.ts";

export const SHUFFLED = "shuffled directions";
export const ALL_SHARES = "all positions";
export const UNRELATED = "high and diffuse by chance";
export const SHARE_TEST = "largest neuron, top and rest";
export const SHARE_INTERVAL = "largest neuron, interval of the difference";
export const RATIO_LIMIT = "1/√eps";
export const RATIO_TEST = "ratio, top and rest";
export const RATIO_INTERVAL = "ratio, interval of the difference";
export const RANDOM_RATIO = "ratio at random positions";
export const RANDOM_ABLATION = "ablation at random positions";
export const EQUIVALENT = "equivalence";
export const PEARSON_INTERVAL = "Pearson's r, interval";
export const SPEARMAN_INTERVAL = "Spearman's ρ, interval";

export function baselinesOf(
  measured: DiffuseMlpMeasurement,
  compared: Comparisons,
  eps: number,
  { seed }: ComparisonOptions,
): readonly Baseline[] {
  const { ratio, share } = compared;
  const made: (Baseline | undefined)[] = [
    ...ofAttribution(measured, compared, seed),
    ...group(SHARE_TEST, SHARE_INTERVAL, "share of the largest neuron", share, seed, 100, "percentage points"),
    ...(ratio ? group(RATIO_TEST, RATIO_INTERVAL, "ratio (BOS left out)", ratio, seed, 1, "") : []),
    ...ofNotebook(compared, eps, seed),
    ...ofAgreement(compared, seed),
  ];
  return made.filter((b) => b !== undefined);
}

/** For the shares of neurons in what the MLP adds. */
function ofAttribution(
  { nullModel: { maxShare, shuffles } }: DiffuseMlpMeasurement,
  { predicting, diffuse }: Comparisons,
  seed: number,
): Baseline[] {
  return [
    {
      name: SHUFFLED,
      kind: "null model",
      text:
        "The mean share of the largest neuron when every neuron keeps its activation but writes in another neuron's direction. " +
        "The interval covers the shuffles' means; p is how often a shuffle's mean is as far from their centre as the model's.",
      value: 100 * maxShare.mean,
      unit: "%",
      interval: percents(maxShare.interval),
      level: 0.95,
      p: maxShare.p,
      samples: shuffles,
      seed,
    },
    {
      name: ALL_SHARES,
      kind: "control",
      text: `The mean share of the largest neuron over all ${predicting.length} positions that predict a token.`,
      value: 100 * mean(predicting.map((p) => p.attribution.maxShare)),
      unit: "%",
    },
    {
      name: UNRELATED,
      kind: "reference value",
      text: "How many of the positions with a high attribution would have a share below the median if the two were unrelated: half.",
      value: diffuse.high / 2,
      unit: "positions",
    },
  ];
}

/** For the notebook's own numbers: the ratio and the ablation effect. */
function ofNotebook({ random, ratio }: Comparisons, eps: number, seed: number): Baseline[] {
  const drawn = { samples: random.length, seed };
  const ratios: Baseline[] = [
    {
      name: RATIO_LIMIT,
      kind: "reference value",
      text: "The factor of a layer norm whose input does not vary at all: no ratio can be higher.",
      value: 1 / Math.sqrt(eps),
    },
    {
      name: RANDOM_RATIO,
      kind: "control",
      text: `The mean ratio at ${random.length} random positions, drawn as in the notebook, including BOS if it is drawn.`,
      value: mean(random.map((p) => 1 / p.scale!)),
      ...drawn,
    },
  ];
  return [
    ...(ratio ? ratios : []),
    {
      name: RANDOM_ABLATION,
      kind: "control",
      text: `The mean ablation effect on the prompt's loss at ${random.length} random positions.`,
      value: mean(random.map((p) => p.ablation)),
      unit: "nats",
      ...drawn,
    },
  ];
}

/** For the correlation of ablation and attribution. */
function ofAgreement({ agreement }: Comparisons, seed: number): (Baseline | undefined)[] {
  const interval = (name: string, r: string, found: typeof agreement.pearsonInterval): Baseline | undefined =>
    found && {
      name,
      kind: "bootstrap interval",
      text: `The interval of ${r} between loss and attribution; whole prompts are drawn with replacement.`,
      ...found,
      seed,
    };
  return [
    {
      name: EQUIVALENT,
      kind: "reference value",
      text: "The correlation that two equivalent measures would have.",
      value: 1,
    },
    interval(PEARSON_INTERVAL, "Pearson's r", agreement.pearsonInterval),
    interval(SPEARMAN_INTERVAL, "Spearman's ρ", agreement.spearmanInterval),
  ];
}

/** The permutation test and the bootstrap interval of a difference, where they exist. */
function group(
  testName: string,
  intervalName: string,
  what: string,
  { test, bootstrap }: GroupComparison,
  seed: number,
  factor: number,
  unit: string,
): (Baseline | undefined)[] {
  if (!test) return [];
  return [
    {
      name: testName,
      kind: "permutation test",
      text: `The mean ${what} at the top positions minus that at the rest, compared with random choices of the same number of positions; p is two-sided.`,
      value: factor * test.difference,
      unit,
      p: test.p,
      samples: test.samples,
      seed,
    },
    bootstrap && {
      name: intervalName,
      kind: "bootstrap interval",
      text: `The interval of the difference in mean ${what}; whole prompts are drawn with replacement.`,
      ...bootstrap,
      interval: [factor * bootstrap.interval[0], factor * bootstrap.interval[1]],
      unit,
      seed,
    },
  ];
}

function percents([low, high]: readonly [number, number]): [number, number] {
  return [100 * low, 100 * high];
}
