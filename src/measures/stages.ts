/** Combines the progress of several stages into one. */

type Report = (progress: { readonly done: number; readonly total: number }) => void;

/**
 * A function for each stage: it takes that stage's progress and reports the progress of the whole.
 * @param totals how much each stage has to do, all in the same unit
 */
export function stages(onProgress: Report | undefined, totals: readonly number[]): readonly (Report | undefined)[] {
  if (!onProgress) return totals.map(() => undefined);
  const total = totals.reduce((sum, n) => sum + n, 0);
  const done = totals.map(() => 0);
  return totals.map((own, i) => (progress) => {
    done[i] = (progress.done / progress.total) * own;
    onProgress({ done: Math.round(done.reduce((sum, n) => sum + n, 0)), total });
  });
}
