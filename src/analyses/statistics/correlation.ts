/** How far two lists of numbers go together; NaN where that has no meaning. */
import { sampleCorrelation, sampleRankCorrelation } from "simple-statistics";

/** Pearson's r, of values on a line. NaN for fewer than three values, or where one list does not vary. */
export function pearson(x: readonly number[], y: readonly number[]): number {
  return x.length < 3 || !varies(x) || !varies(y) ? Number.NaN : sampleCorrelation([...x], [...y]);
}

/** Spearman's rho: Pearson's r of the ranks, equal values sharing theirs. NaN as for `pearson`. */
export function spearman(x: readonly number[], y: readonly number[]): number {
  return x.length < 3 || !varies(x) || !varies(y) ? Number.NaN : sampleRankCorrelation([...x], [...y]);
}

function varies(values: readonly number[]): boolean {
  return values.some((v) => v !== values[0]);
}
