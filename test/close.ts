/** Comparing arrays of numbers as the field does: the largest error, relative to the largest number. */
import { expect } from "vitest";

interface Numbers {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

/**
 * Largest |found - expected| over largest |expected|, where infinities must be equal.
 * @param least what the largest counts as at least: a sum whose terms cancel keeps the rounding of its terms
 */
export function relativeError(found: Numbers, expected: Numbers, least = 1e-30): number {
  let error = 0;
  let scale = least;
  for (let i = 0; i < expected.data.length; i++) {
    const [x, y] = [found.data[i], expected.data[i]];
    if (!Number.isFinite(y) || !Number.isFinite(x)) {
      if (!Object.is(x, y)) return Number.POSITIVE_INFINITY;
      continue;
    }
    error = Math.max(error, Math.abs(x - y));
    scale = Math.max(scale, Math.abs(y));
  }
  return error === 0 ? 0 : error / scale;
}

export function expectClose(found: Numbers, expected: Numbers, tolerance: number, least?: number): void {
  expect([...found.shape]).toEqual([...expected.shape]);
  expect(found.data.length).toBe(expected.data.length);
  expect(relativeError(found, expected, least)).toBeLessThanOrEqual(tolerance);
}
