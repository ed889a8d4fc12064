/** The progress of several stages as one. */
import type { OnProgress } from "../tensor/progress.ts";

/**
 * A function for each stage: it takes that stage's progress and reports the progress of the whole.
 * @param totals how much each stage has to do, all in the same unit
 * @param unit what is counted of the whole
 */
export function stages(
  onProgress: OnProgress | undefined,
  totals: readonly number[],
  unit: string,
): readonly (OnProgress | undefined)[] {
  if (!onProgress) return totals.map(() => undefined);
  const total = totals.reduce((sum, n) => sum + n, 0);
  const done = totals.map(() => 0);
  return totals.map((own, i) => (progress) => {
    done[i] = (progress.done / progress.total) * own;
    onProgress({ done: Math.round(done.reduce((sum, n) => sum + n, 0)), total, unit });
  });
}
