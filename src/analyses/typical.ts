/** What is usual among all numbers of a kind, as the baseline of those that stand out. */
import type { Baseline } from "../finding/finding.ts";
import { middle } from "../measures/statistics/middle.ts";

/** Their median, and the range of most of them; @param says what they are: "The share that a path loses" */
export function typicalBaseline(name: string, says: string, numbers: readonly number[]) {
  const { median, interval, level } = middle(numbers);
  const range = level === 1 ? "their range" : `the range of the middle ${Math.round(100 * level)} % of them`;
  return {
    name,
    kind: "reference value",
    text: `${says}: the median of all ${numbers.length}, and ${range}.`,
    ...{ value: median, interval, level, samples: numbers.length },
  } satisfies Baseline;
}
