/** The results in sentences, the answer first, each with what its number is compared with. Baselines that cannot be computed (too few positions) are left out. */
import { mean } from "simple-statistics";
import type { Baseline, Figure, Statement } from "../../finding/finding.ts";
import type { Comparisons, GroupComparison } from "../../measures/diffuse-mlp/comparisons.ts";
import type { DiffuseMlpRow } from "../../measures/diffuse-mlp/positions.ts";
import type { DiffuseMlpMeasurement } from "../../measures/diffuse-mlp.ts";
import { listed, percent, quoted } from "../../tensor/words.ts";

export const SHUFFLED = "shuffled directions";
export const RATIO_LIMIT = "1/√eps";
export const RANDOM_RATIO = "ratio at random positions";
export const RANDOM_ABLATION = "ablation at random positions";
export const EQUIVALENT = "equivalence";
export const PEARSON_INTERVAL = "Pearson's r, interval";

/** How many of the answer's tokens the first sentence names. */
const NAMED = 3;

/** Sentences, and what their numbers are compared with. */
interface Result {
  readonly summary: readonly Statement[];
  readonly baselines: readonly Baseline[];
}

/** @param seed of the random parts */
export function results(
  measured: DiffuseMlpMeasurement,
  compared: Comparisons,
  eps: number,
  seed: number,
): { readonly summary: [Statement, ...Statement[]]; readonly baselines: readonly Baseline[] } {
  const [first, ...others] = [
    answer(compared),
    standingOut(measured, compared, seed),
    notebookChoice(compared, seed),
    ...(compared.ratio ? [ratios(compared, compared.ratio, eps, seed)] : []),
    { summary: [], baselines: [randomAblation(compared, seed)] },
    agreement(compared, seed),
  ];
  const [says, ...more] = [first, ...others].flatMap(({ summary }) => summary);
  return { summary: [says, ...more], baselines: [first, ...others].flatMap(({ baselines }) => baselines) };
}

/** A number and all that it is compared with, if there is anything. */
function figure(value: number, unit: string, baselines: readonly Baseline[]): { figure?: Figure } {
  const [first, ...rest] = baselines.map(({ name }) => name);
  return first === undefined ? {} : { figure: { value, unit, comparedWith: [first, ...rest] } };
}

/** “ mount” → “ains” */
const step = (p: DiffuseMlpRow) => `${quoted(p.token)} → ${quoted(`${p.next}`)}`;
const pValue = (p: number) => (p < 0.001 ? "p < 0.001" : `p = ${p.toFixed(3)}`);

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

function notebookChoice({ top, share }: Comparisons, seed: number): Result {
  const { test, bootstrap, rest } = share;
  if (!test || rest === undefined) return { summary: [], baselines: [] };
  const what = "share of the largest neuron";
  const baselines = groupBaselines("largest neuron", what, { test, bootstrap }, seed, 100, "percentage points");
  const [best] = top;
  return {
    summary: [
      {
        text:
          `The notebook's score is highest at ${quoted(best.token)} (prompt ${best.prompt}, position ${best.pos}). At its top ${top.length} the largest neuron carries ${percent(share.top)} of the attribution, ` +
          `compared with ${percent(rest)} elsewhere (${pValue(test.p)}).`,
        ...figure(100 * test.difference, "percentage points", baselines),
      },
    ],
    baselines,
  };
}

function ratios({ candidates, random }: Comparisons, ratio: GroupComparison, eps: number, seed: number): Result {
  const ordinary = candidates.filter((p) => !p.bos && p.eps_share !== null);
  const share = mean(ordinary.map((p) => p.eps_share!));
  const { test, bootstrap, rest } = ratio;
  const against =
    test && rest !== undefined
      ? `, compared with ${rest.toFixed(1)} at the others (BOS left out; ${pValue(test.p)})`
      : "";
  const limit: Baseline = {
    name: RATIO_LIMIT,
    kind: "reference value",
    text: "The factor of a layer norm whose input does not vary at all: no ratio can be higher.",
    value: 1 / Math.sqrt(eps),
  };
  const atRandom: Baseline = {
    name: RANDOM_RATIO,
    kind: "control",
    text: `The mean ratio at ${random.length} random positions, drawn as in the notebook, including BOS if it is drawn.`,
    ...{ value: mean(random.map((p) => p.ratio!)), samples: random.length, seed },
  };
  const groups = test ? groupBaselines("ratio", "ratio (BOS left out)", { test, bootstrap }, seed, 1, "") : [];
  const baselines = [limit, ...groups, atRandom];
  return {
    summary: [
      {
        text:
          `mlp.ln multiplies by ${ratio.top.toFixed(1)} at the top positions${against}. The ratio is 1 / hook_scale, and eps is ${percent(share)} of scale² on average: ` +
          "it shows how small the activations are, and cannot show whether the norm smuggles features through.",
        ...figure(ratio.top, "", baselines),
      },
    ],
    baselines,
  };
}

function randomAblation({ random }: Comparisons, seed: number): Baseline {
  return {
    name: RANDOM_ABLATION,
    kind: "control",
    text: `The mean ablation effect on the prompt's loss at ${random.length} random positions.`,
    ...{ value: mean(random.map((p) => p.ablation)), unit: "nats", samples: random.length, seed },
  };
}

function agreement({ agreement: a }: Comparisons, seed: number): Result {
  const interval = (name: string, r: string, found: typeof a.pearsonInterval): Baseline[] => {
    const text = `The interval of ${r} between loss and attribution; whole prompts are drawn with replacement.`;
    return found ? [{ name, kind: "bootstrap interval", text, ...found, seed }] : [];
  };
  const baselines: Baseline[] = [
    {
      name: EQUIVALENT,
      kind: "reference value",
      text: "The correlation that two equivalent measures would have.",
      value: 1,
    },
    ...interval(PEARSON_INTERVAL, "Pearson's r", a.pearsonInterval),
    ...interval("Spearman's ρ, interval", "Spearman's ρ", a.spearmanInterval),
  ];
  if (Number.isNaN(a.pearson)) return { summary: [], baselines };
  const [worst] = a.apart;
  return {
    summary: [
      {
        text:
          `Ablation and direct attribution agree with Pearson's r = ${a.pearson.toFixed(2)} (Spearman's ρ = ${a.spearman.toFixed(2)}; with the notebook's mean over the prompt r = ${a.pearsonOfMeans.toFixed(2)}), so they are not equivalent. ` +
          `Apart from the attribution, the loss changes through the other tokens' logits (${a.meanNormaliser.toFixed(2)} nats on average) and through the next token's other terms (${a.meanRestOfLogit.toFixed(2)}). ` +
          `They disagree most at ${step(worst)}: ${worst.loss_change.toFixed(2)} nats, but ${worst.attribution.toFixed(2)} logits.`,
        ...figure(a.pearson, "", baselines),
      },
    ],
    baselines,
  };
}

/** The permutation test and the bootstrap interval of a difference, where they exist. */
function groupBaselines(
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

function scaled([low, high]: readonly [number, number], factor: number): [number, number] {
  return [factor * low, factor * high];
}
