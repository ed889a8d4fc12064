/** How well an estimate by gradients agrees with what was measured by changing the model. */

import type { Baseline, Figure, Statement } from "../finding.ts";
import type { ScatterSpec } from "../picture.ts";
import { pearson, spearman } from "../statistics/correlation.ts";
import { Random } from "../statistics/random.ts";

/** Something that was estimated and measured, both in logits. */
export interface Pair {
  /** What it is, for a sentence: "z of L0H3 at “ she” (position 5)". */
  readonly name: string;
  /** Which kind of thing it is, for a picture's colours. */
  readonly group: string;
  readonly estimated: number;
  readonly measured: number;
}

/** What the pairs say together. */
export interface Agreement {
  /** Those whose estimate or measurement is not exactly 0: elsewhere nothing can differ. */
  readonly pairs: readonly Pair[];
  /** Pearson's r and Spearman's rho; `undefined` where there are fewer than three pairs or one side does not vary. */
  readonly r: number | undefined;
  readonly rho: number | undefined;
  /** Mean |estimated - measured|; `undefined` without pairs. */
  readonly meanError: number | undefined;
  readonly worst: Pair | undefined;
  /** What r is when the estimates are dealt out at random. */
  readonly chance:
    | { readonly p: number; readonly interval: readonly [number, number]; readonly samples: number }
    | undefined;
}

export const IDENTICAL = "perfect agreement";
export const SHUFFLED = "estimates shuffled";
const SAMPLES = 1000;

export function agreement(all: readonly Pair[], seed = 0): Agreement {
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
  const found = Array.from({ length: SAMPLES }, () => {
    random.shuffle(order);
    return pearson(
      Array.from(order, (i) => x[i]),
      y,
    )();
  }).sort((a, b) => a - b);
  const extreme = found.filter((shuffled) => Math.abs(shuffled) >= Math.abs(r) * (1 - 1e-12)).length;
  return {
    p: (1 + extreme) / (1 + SAMPLES),
    interval: [found[Math.floor(0.025 * SAMPLES)], found[Math.ceil(0.975 * SAMPLES) - 1]],
    samples: SAMPLES,
  };
}

/** What an agreement's correlation is held against. */
export function agreementBaselines({ chance, pairs }: Agreement, seed = 0): Baseline[] {
  const perfect: Baseline = {
    name: IDENTICAL,
    kind: "reference value",
    text: "The correlation if every estimate were what is measured.",
    value: 1,
  };
  if (!chance) return [perfect];
  return [
    perfect,
    {
      name: SHUFFLED,
      kind: "permutation test",
      text: `Pearson's r of the ${pairs.length} measurements with the estimates dealt out at random; p is two-sided.`,
      interval: chance.interval,
      level: 0.95,
      p: chance.p,
      samples: chance.samples,
      seed,
    },
  ];
}

/** The correlation in a sentence that begins as told, held against this agreement's own baselines unless told otherwise. */
export function correlationStatement(
  beginning: string,
  { r, rho, chance, pairs }: Agreement,
  comparedWith: Figure["comparedWith"] = chance ? [IDENTICAL, SHUFFLED] : [IDENTICAL],
): Statement {
  if (r === undefined)
    return { text: `${beginning} cannot be correlated: there are ${pairs.length} places that differ.` };
  const ranks = rho === undefined ? "" : `, Spearman's ρ is ${written(rho)}`;
  return {
    text: `${beginning}: Pearson's r is ${written(r)}${ranks}, over ${pairs.length} places where anything differs.`,
    figure: { value: r, unit: "", comparedWith },
  };
}

/** The place with the largest error in a sentence. */
export function worstStatement({ worst }: Agreement, comparedWith: Figure["comparedWith"]): Statement[] {
  if (!worst) return [];
  return [
    {
      text: `It is furthest off for ${worst.name}: estimated ${signed(worst.estimated)}, measured ${signed(worst.measured)} logits.`,
      figure: { value: errorOf(worst), unit: "logits", comparedWith },
    },
  ];
}

/** Most points that a picture draws; those with the largest numbers. */
const DRAWN = 2000;

/** Estimates against measurements, with the line on which they are equal. */
export function agreementScatter(
  { pairs }: Agreement,
  texts: Pick<ScatterSpec, "name" | "title" | "part"> & { readonly x: string; readonly y: string },
): ScatterSpec {
  const { x, y, ...base } = texts;
  const size = (pair: Pair) => Math.max(Math.abs(pair.estimated), Math.abs(pair.measured));
  const drawn = [...pairs].sort((a, b) => size(b) - size(a)).slice(0, DRAWN);
  const groups = [...new Set(drawn.map((pair) => pair.group))];
  const left = pairs.length - drawn.length;
  return {
    ...base,
    kind: "scatter",
    caption: `Each point is one place. On the line the estimate is what is measured.${left > 0 ? ` The ${left} smallest are left out.` : ""}`,
    series: groups.map((group) => {
      const members = drawn.filter((pair) => pair.group === group);
      return {
        name: group,
        x: members.map((pair) => pair.estimated),
        y: members.map((pair) => pair.measured),
        titles: members.map(
          (pair) => `${pair.name}: estimated ${signed(pair.estimated)}, measured ${signed(pair.measured)}`,
        ),
      };
    }),
    x: { label: x, unit: "logits" },
    y: { label: y, unit: "logits" },
    references: [{ kind: "slope", slope: 1, label: "equal" }],
  };
}

/** A number with its sign, as sentences have it. */
export function signed(x: number): string {
  return x < 0 ? written(x) : `+${written(x)}`;
}

/** A number as sentences have it, with a minus that is as wide as a plus. */
function written(x: number): string {
  return x.toFixed(2).replace("-", "−");
}
