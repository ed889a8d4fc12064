/** Means and covariances from sums. */
import type { PointSums } from "./summaries.ts";

/** The mean of each number, and its variance over the tokens. */
export interface PointNumbers {
  readonly mean: Float64Array;
  readonly variance: Float64Array;
}

export function numbersOf(width: number, tokens: number, { sums, squares }: PointSums): PointNumbers {
  const mean = Float64Array.from({ length: width }, (_, i) => sums.value(i) / tokens);
  const variance = mean.map((x, i) => Math.max(0, squares.value(i) / tokens - x * x));
  return { mean, variance };
}

/** E[x xᵀ] − E[x] E[x]ᵀ, [width width]. */
export function covarianceOf(width: number, tokens: number, mean: Float64Array, { products }: PointSums): Float64Array {
  const found = new Float64Array(width * width);
  let at = 0;
  for (let i = 0; i < width; i++) {
    for (let j = i; j < width; j++) {
      found[i * width + j] = products.value(at++) / tokens - mean[i] * mean[j];
      found[j * width + i] = found[i * width + j];
    }
  }
  return found;
}
