/** Where the colours of an attention head end. */

/** The share of queries that a scale is made for. */
const SHARE = 0.9;
/** A scale that ends this close to the largest weight ends there. */
const CLOSE = 0.8;

/**
 * The weight from which on a head's colours are darkest: nine in ten queries have no larger one, the first token left aside, where heads rest.
 * So the pattern of a head that spreads its attention, or rests, stays visible. It is at least twice the mean weight, and at most the largest.
 * @param weights 0 or more, `[query · tokens + key]`
 */
export function scaleEnd(weights: ArrayLike<number>, tokens: number): number {
  const tops = new Float64Array(Math.max(0, tokens - 1));
  let [most, sum] = [0, 0];
  for (let query = 0, at = 0; query < tokens; query++) {
    for (let key = 0; key < tokens; key++, at++) {
      const weight = weights[at] || 0;
      sum += weight;
      if (weight > most) most = weight;
      if (query > 0 && key > 0 && weight > tops[query - 1]) tops[query - 1] = weight;
    }
  }
  const usual = tops.sort()[Math.ceil(SHARE * tops.length) - 1] ?? 0;
  const end = Math.max(usual, (2 * sum) / tokens ** 2);
  return end < CLOSE * most ? end : most || 1;
}
