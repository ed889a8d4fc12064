/** How well estimates agree with what was measured by changing the model. */
import { pearson, spearman } from "./statistics/correlation.ts";
import { Random } from "./statistics/random.ts";

/** Something that was estimated and measured, both in logits. */
export interface Pair {
  /** What it is, for a sentence: "z of L0H3 at “ she” (position 5)". */
  readonly name: string;
  /** Which kind of thing it is, for a picture's colours. */
  readonly group: string;
  readonly estimated: number;
  readonly measured: number;
}

/** What all pairs show together; a number that does not exist is `null`. */
export interface Agreement<P extends Pair = Pair> {
  /** The pairs whose estimate or measurement is not exactly 0: elsewhere nothing can differ. */
  readonly pairs: readonly P[];
  /** How many these are. */
  readonly places: number;
  /** Pearson's r and Spearman's rho; `null` where there are fewer than three pairs or one side does not vary. */
  readonly pearson: number | null;
  readonly spearman: number | null;
  /** Mean and largest |estimated - measured|; `null` without pairs. */
  readonly mean_error: number | null;
  readonly worst_error: number | null;
  readonly worst: P | undefined;
}

/** The distribution of Pearson's r when the estimates are shuffled. */
export interface ChanceAgreement {
  readonly p: number;
  readonly interval: readonly [number, number];
  readonly samples: number;
}

const SAMPLES = 1000;

/** Over the pairs of which one number is not 0. */
export function agreementOf<P extends Pair>(all: readonly P[]): Agreement<P> {
  const pairs = all.filter(({ estimated, measured }) => estimated !== 0 || measured !== 0);
  const [x, y] = [pairs.map((pair) => pair.estimated), pairs.map((pair) => pair.measured)];
  const errors = pairs.map(errorOf);
  const largest = errors.reduce((a, b) => Math.max(a, b), 0);
  return {
    pairs,
    places: pairs.length,
    pearson: existing(pearson(x, y)()),
    spearman: existing(spearman(x, y)()),
    mean_error: existing(errors.reduce((sum, e) => sum + e, 0) / errors.length),
    worst_error: pairs.length > 0 ? largest : null,
    worst: pairs[errors.indexOf(largest)],
  };
}

/** |estimated - measured|. */
export function errorOf({ estimated, measured }: Pair): number {
  return Math.abs(estimated - measured);
}

function existing(x: number): number | null {
  return Number.isFinite(x) ? x : null;
}

/** What r would be by chance; `undefined` where there is none. */
export function chanceOf({ pairs, pearson: r }: Agreement, seed = 0): ChanceAgreement | undefined {
  if (r === null) return undefined;
  const [x, y] = [pairs.map((pair) => pair.estimated), pairs.map((pair) => pair.measured)];
  const random = new Random(seed);
  const order = Int32Array.from(x, (_, i) => i);
  const correlations = Array.from({ length: SAMPLES }, () => {
    random.shuffle(order);
    return pearson(
      Array.from(order, (i) => x[i]),
      y,
    )();
  }).sort((a, b) => a - b);
  const extreme = correlations.filter((shuffled) => Math.abs(shuffled) >= Math.abs(r) * (1 - 1e-12)).length;
  return {
    p: (1 + extreme) / (1 + SAMPLES),
    interval: [correlations[Math.floor(0.025 * SAMPLES)], correlations[Math.ceil(0.975 * SAMPLES) - 1]],
    samples: SAMPLES,
  };
}
