/** Does a selected group differ from the rest by more than chance? */
import type { Random } from "./random.ts";

export interface PermutationTest {
  /** Mean of the group minus mean of the rest. */
  readonly difference: number;
  /** Two-sided: how often a random group of that size differs from its rest at least as much. Never 0. */
  readonly p: number;
  readonly samples: number;
}

/**
 * Compares the mean of a group with the mean of the rest, under the null hypothesis that the group is a random
 * selection. `p = (1 + number of random groups at least as extreme) / (1 + samples)`, so that the group itself counts as one.
 * `undefined` if the group or the rest is empty.
 *
 * Source: Phipson & Smyth 2010, "Permutation p-values should never be zero".
 */
export function permutationTest(
  values: ArrayLike<number>,
  group: readonly number[],
  random: Random,
  samples = 10_000,
): PermutationTest | undefined {
  const n = values.length;
  const k = group.length;
  if (k === 0 || k === n) return undefined;
  let total = 0;
  for (let i = 0; i < n; i++) total += values[i];
  const differenceOf = (sum: number) => sum / k - (total - sum) / (n - k);

  const difference = differenceOf(group.reduce((sum, i) => sum + values[i], 0));
  // Sums in a different order may differ in their last bits; such a group is equally extreme, not less.
  const threshold = Math.abs(difference) * (1 - 1e-12);
  const order = Int32Array.from({ length: n }, (_, i) => i);
  let extreme = 0;
  for (let s = 0; s < samples; s++) {
    random.shuffle(order, k);
    let sum = 0;
    for (let i = 0; i < k; i++) sum += values[order[i]];
    if (Math.abs(differenceOf(sum)) >= threshold) extreme++;
  }
  return { difference, p: (1 + extreme) / (1 + samples), samples };
}
