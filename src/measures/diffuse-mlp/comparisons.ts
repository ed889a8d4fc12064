/** What the measurements show together: which positions are selected, and whether they differ from the others. */
import { mean, quantile } from "simple-statistics";
import type { DiffuseMlpMeasurement } from "../diffuse-mlp.ts";
import { type BootstrapInterval, bootstrapInterval } from "../statistics/bootstrap.ts";
import { pearson, spearman } from "../statistics/correlation.ts";
import { type PermutationTest, permutationTest } from "../statistics/permutation-test.ts";
import { Random } from "../statistics/random.ts";
import { type DiffuseMlpRow, isPredicting, type Predicting } from "./positions.ts";

export interface ComparisonOptions {
  /** How many positions to select. */
  readonly top: number;
  readonly seed: number;
  /** Leave the BOS positions out. */
  readonly excludeBos: boolean;
}

export interface Comparisons {
  /** The positions that are compared: all of them, or all but BOS. */
  readonly candidates: readonly DiffuseMlpRow[];
  readonly predicting: readonly Predicting[];
  /** The notebook's selection: the highest scores. */
  readonly top: readonly DiffuseMlpRow[];
  /** The same number at random, in the order of the prompts. */
  readonly random: readonly DiffuseMlpRow[];
  /** The answer to the question: a high attribution and no high neuron, the highest attribution first. */
  readonly diffuse: Diffuse;
  /** 1 / mlp.ln.hook_scale at the top positions and at the rest, BOS left out; `undefined` without a norm inside the MLP. */
  readonly ratio: GroupComparison | undefined;
  /** The share of the largest neuron at the top positions and at the rest. */
  readonly share: GroupComparison;
  readonly agreement: Agreement;
}

export interface Diffuse {
  readonly positions: readonly Predicting[];
  /** Attributions that count as high: at least this, the upper quartile, in logits. */
  readonly highFrom: number;
  /** Shares that count as low: at most this, the median. */
  readonly shareUpTo: number;
  /** How many positions have a high attribution, diffuse or not. */
  readonly high: number;
}

/** A number at the selected positions, compared with the same at the others. */
export interface GroupComparison {
  readonly top: number;
  readonly rest: number | undefined;
  readonly test: PermutationTest | undefined;
  /** The interval of the difference of the means. */
  readonly bootstrap: BootstrapInterval | undefined;
}

/** Loss without the MLP, compared with direct attribution, over the positions that predict. */
export interface Agreement {
  /** The correlation of the predicted token's own loss with its attribution; NaN if there are too few. */
  readonly pearson: number;
  readonly spearman: number;
  readonly pearsonInterval: BootstrapInterval | undefined;
  readonly spearmanInterval: BootstrapInterval | undefined;
  /** The correlation of the notebook's number, the prompt's mean loss, with the attribution. */
  readonly pearsonOfMeans: number;
  /** Mean sizes of the loss change beyond the attribution. */
  readonly meanRestOfLogit: number;
  readonly meanNormaliser: number;
  /** The positions that disagree most, the worst first; only one of those with the same text before them. */
  readonly apart: readonly Predicting[];
}

export function compare(measured: DiffuseMlpMeasurement, { top: k, seed, excludeBos }: ComparisonOptions): Comparisons {
  const random = new Random(seed);
  const candidates = measured.rows.filter((p) => !(excludeBos && p.bos));
  const predicting = candidates.filter(isPredicting);
  const top = candidates
    .filter((p) => p.score !== null)
    .sort((a, b) => b.score! - a.score!)
    .slice(0, k);
  const drawn = random.sample(candidates.length, Math.min(k, candidates.length)).sort();
  const chosen = new Set(top);
  const scaled = candidates.filter((p) => p.scale !== null && !p.bos);
  return {
    candidates,
    predicting,
    top,
    random: Array.from(drawn, (i) => candidates[i]),
    diffuse: diffuseOf(predicting),
    ratio: scaled.some((p) => chosen.has(p)) ? compareGroups(scaled, (p) => p.ratio!, chosen, random) : undefined,
    share: compareGroups(predicting, (p) => p.max_share!, chosen, random),
    agreement: agreementOf(predicting, measured.prompts, random),
  };
}

function diffuseOf(predicting: readonly Predicting[]): Diffuse {
  const attributions = predicting.map((p) => p.attribution);
  const shares = predicting.map((p) => p.max_share);
  const highFrom = quantile(attributions, 0.75);
  const shareUpTo = quantile(shares, 0.5);
  const high = predicting.filter((p) => p.attribution >= highFrom && p.attribution > 0);
  const positions = high.filter((p) => p.max_share <= shareUpTo).sort((a, b) => b.attribution - a.attribution);
  return { positions, highFrom, shareUpTo, high: high.length };
}

function compareGroups(
  positions: readonly DiffuseMlpRow[],
  value: (p: DiffuseMlpRow) => number,
  chosen: ReadonlySet<DiffuseMlpRow>,
  random: Random,
): GroupComparison {
  const values = positions.map(value);
  const inGroup = positions.map((p) => chosen.has(p));
  const group = positions.flatMap((_, i) => (inGroup[i] ? [i] : []));
  const meanWhere = (member: boolean, counts?: Float64Array) => {
    let sum = 0;
    let n = 0;
    for (let i = 0; i < values.length; i++) {
      if (inGroup[i] !== member) continue;
      const count = counts ? counts[i] : 1;
      sum += count * values[i];
      n += count;
    }
    return sum / n; // NaN for none
  };
  const test = permutationTest(values, group, random);
  const difference = (counts: Float64Array) => meanWhere(true, counts) - meanWhere(false, counts);
  return {
    top: meanWhere(true),
    rest: group.length < values.length ? meanWhere(false) : undefined,
    test,
    bootstrap: test && bootstrapInterval(prompts(positions), difference, random),
  };
}

/** The prompt of each position, counted from 0. */
function prompts(positions: readonly DiffuseMlpRow[]): readonly number[] {
  const numbers = new Map<number, number>();
  for (const { prompt } of positions) if (!numbers.has(prompt)) numbers.set(prompt, numbers.size);
  return positions.map(({ prompt }) => numbers.get(prompt)!);
}

function agreementOf(
  predicting: readonly Predicting[],
  texts: DiffuseMlpMeasurement["prompts"],
  random: Random,
): Agreement {
  const losses = predicting.map((p) => p.loss_change);
  const attributions = predicting.map((p) => p.attribution);
  const means = predicting.map((p) => p.ablation);
  const clusters = prompts(predicting);
  const byDisagreement = [...predicting].sort((a, b) => Math.abs(b.difference) - Math.abs(a.difference));
  const [line, ranks] = [pearson(losses, attributions), spearman(losses, attributions)];
  return {
    pearson: line(),
    spearman: ranks(),
    pearsonInterval: bootstrapInterval(clusters, line, random),
    spearmanInterval: bootstrapInterval(clusters, ranks, random),
    pearsonOfMeans: pearson(means, attributions)(),
    meanRestOfLogit: mean(predicting.map((p) => Math.abs(p.other_terms))),
    meanNormaliser: mean(predicting.map((p) => Math.abs(p.normaliser))),
    apart: withoutRepeats(byDisagreement, texts),
  };
}

/**
 * In a causal model the same text up to a position means the same ablation there (at BOS, in every prompt). Of such
 * positions only the first is kept.
 */
function withoutRepeats(positions: readonly Predicting[], texts: DiffuseMlpMeasurement["prompts"]): Predicting[] {
  const first = new Map<string, Predicting>();
  for (const p of positions) {
    const text = texts[p.prompt].ids.slice(0, p.pos + 1).join();
    if (!first.has(text)) first.set(text, p);
  }
  return [...first.values()];
}

/** A row, and which of the groups that are compared it is in. */
export interface GroupedRow extends DiffuseMlpRow {
  readonly candidate: boolean;
  readonly predicting: boolean;
  readonly diffuse: boolean;
  /** Among the five that disagree most. */
  readonly apart: boolean;
  readonly top: boolean;
}

/** How many of the positions that disagree most are a group. */
const FURTHEST = 5;

/** All rows, each with the groups that it is in. */
export function grouped(
  rows: readonly DiffuseMlpRow[],
  { candidates, predicting, diffuse, agreement, top }: Comparisons,
): GroupedRow[] {
  const groups = [candidates, predicting, diffuse.positions, agreement.apart.slice(0, FURTHEST), top];
  const sets = groups.map((group) => new Set<DiffuseMlpRow>(group));
  return rows.map((row) => {
    const [candidate, predicting, diffuse, apart, top] = sets.map((set) => set.has(row));
    return { ...row, candidate, predicting, diffuse, apart, top };
  });
}

/** One of the largest neurons at a position: `place` is 1 for the one with the largest |attribution| there. */
export type NeuronRow = Pick<Predicting, "prompt" | "pos" | "token" | "next" | "attribution"> & {
  readonly d_mlp: number;
  readonly place: number;
};

/** The largest neurons at positions, a row for each. */
export function neuronsAt(positions: readonly Predicting[]): NeuronRow[] {
  return positions.flatMap(({ prompt, pos, token, next, neurons }) =>
    neurons.map(([d_mlp, attribution], i) => ({ prompt, pos, token, next, d_mlp, place: i + 1, attribution })),
  );
}
