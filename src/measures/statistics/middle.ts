/** The range that most of a list of numbers lie in. */
import { quantileSorted } from "simple-statistics";

/** The median of numbers, and the interval that contains the middle `level` of them; all of them if there are few. */
export function middle(
  values: readonly number[],
  level = 0.95,
): { readonly median: number; readonly interval: readonly [number, number]; readonly level: number } {
  const sorted = [...values].sort((a, b) => a - b);
  // With fewer numbers than this, there is no outermost 5 %.
  const part = sorted.length < 1 / (1 - level) ? 1 : level;
  const tail = (1 - part) / 2;
  return {
    median: quantileSorted(sorted, 0.5),
    interval: [quantileSorted(sorted, tail), quantileSorted(sorted, 1 - tail)],
    level: part,
  };
}
