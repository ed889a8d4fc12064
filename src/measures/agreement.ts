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

/** What all pairs show together. */
export interface Agreement {
  /** The pairs whose estimate or measurement is not exactly 0: elsewhere nothing can differ. */
  readonly pairs: readonly Pair[];
  /** Pearson's r and Spearman's rho; `undefined` where there are fewer than three pairs or one side does not vary. */
  readonly r: number | undefined;
  readonly rho: number | undefined;
  /** Mean |estimated - measured|; `undefined` without pairs. */
  readonly meanError: number | undefined;
  readonly worst: Pair | undefined;
  /** The distribution of r when the estimates are shuffled. */
  readonly chance:
    | { readonly p: number; readonly interval: readonly [number, number]; readonly samples: number }
    | undefined;
}

const SAMPLES = 1000;

/** Over the pairs of which one number is not 0. */
export function agreementOf(all: readonly Pair[], seed = 0): Agreement {
  const pairs = all.filter(({ estimated, measured }) => estimated !== 0 || measured !== 0);
  const [x, y] = [pairs.map((pair) => pair.estimated), pairs.map((pair) => pair.measured)];
  const r = existing(pearson(x, y)());
  const errors = pairs.map(errorOf);
  return {
    pairs,
    r,
    rho: existing(spearman(x, y)()),
    meanError: errors.length === 0 ? undefined : errors.reduce((sum, e) => sum + e, 0) / errors.length,
    worst: pairs[errors.indexOf(Math.max(...errors))],
    chance: r === undefined ? undefined : chance(x, y, r, seed),
  };
}

/** |estimated - measured|. */
export function errorOf({ estimated, measured }: Pair): number {
  return Math.abs(estimated - measured);
}

function existing(x: number): number | undefined {
  return Number.isFinite(x) ? x : undefined;
}

function chance(x: readonly number[], y: readonly number[], r: number, seed: number): Agreement["chance"] {
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
