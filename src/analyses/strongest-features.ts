/** Which of a dictionary's features a picture by token shows. */

/** How many features the picture has, and which share of the largest's sum each has at least. */
const DRAWN = 16;
const LEAST = 0.01;

/**
 * The features whose numbers at all tokens are largest in sum of sizes, the largest first. Those whose sums are next to nothing are left out.
 * @param numberOf null for a row without one
 */
export function strongestFeatures<Row extends { readonly d_sae: number }>(
  rows: readonly Row[],
  numberOf: (row: Row) => number | null,
): number[] {
  const sums = new Map<number, number>();
  for (const row of rows) {
    const number = numberOf(row);
    if (number !== null) sums.set(row.d_sae, (sums.get(row.d_sae) ?? 0) + Math.abs(number));
  }
  const largest = [...sums].sort(([, a], [, b]) => b - a).slice(0, DRAWN);
  return largest.filter(([, sum]) => sum >= LEAST * largest[0][1]).map(([feature]) => feature);
}
