import fc from "fast-check";
import { Matrix, SingularValueDecomposition } from "ml-matrix";
import { describe, expect, test } from "vitest";
import { type SquareSvd, squareSvd } from "../../src/tensor/square-svd.ts";
import { uniform } from "../models/stored.ts";

const EXACT = 1e-13;

/** [n n] [n n], stored row by row; the second transposed if asked. */
function times(a: Float64Array, b: Float64Array, n: number, transpose = false): Float64Array {
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      for (let k = 0; k < n; k++) out[i * n + j] += a[i * n + k] * (transpose ? b[j * n + k] : b[k * n + j]);
    }
  }
  return out;
}

const diagonal = (s: ArrayLike<number>) => {
  const n = s.length;
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i++) out[i * n + i] = s[i];
  return out;
};
const largest = (x: Float64Array) => x.reduce((most, y) => Math.max(most, Math.abs(y)), 0);
const distance = (a: Float64Array, b: Float64Array) => largest(a.map((x, i) => x - b[i]));
const random = (n: number, seed: number) => Float64Array.from({ length: n * n }, uniform(seed));

/** What every decomposition must be, whatever the matrix. */
function expectSvd(matrix: Float64Array, n: number): SquareSvd {
  const found = squareSvd(matrix, n);
  const { u, s, v } = found;
  const one = diagonal(new Float64Array(n).fill(1));
  expect(distance(times(u, u, n, true), one)).toBeLessThan(EXACT);
  expect(distance(times(v, v, n, true), one)).toBeLessThan(EXACT);
  // The smallest numbers that there are have no digits to be exact to.
  const close = EXACT * largest(matrix) + 4 * n * Number.MIN_VALUE;
  expect(distance(times(times(u, diagonal(s), n), v, n, true), matrix)).toBeLessThanOrEqual(close);
  for (let i = 0; i < n; i++) {
    expect(s[i]).toBeGreaterThanOrEqual(0);
    if (i > 0) expect(s[i]).toBeLessThanOrEqual(s[i - 1]);
  }
  return found;
}

const size = fc.integer({ min: 1, max: 12 });
const entry = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double({ min: -1, max: 1, noNaN: true }));
const matrices = size.chain((n) =>
  fc.array(entry, { minLength: n * n, maxLength: n * n }).map((entries) => ({ n, a: Float64Array.from(entries) })),
);

describe("squareSvd", () => {
  test("decomposes any matrix into orthogonal matrices and sorted singular values", () => {
    fc.assert(
      fc.property(matrices, ({ n, a }) => {
        expectSvd(a, n);
      }),
      { numRuns: 400 },
    );
  });

  test.each([
    { n: 2, entries: [0, 0, -1.8088124232491432e-172, 3.962634554758107e-17] },
    { n: 3, entries: [1e-160, 1e-165, 1, 0, 1e-170, 1e-155, 1e-162, 0, 1e-158] },
    { n: 3, entries: [1, 1e-155, 0, 0, 1e-160, 1e-158, 0, 0, 1e-162] },
  ])("numbers whose squares are too small for float64 spoil nothing: $entries", ({ n, entries }) => {
    expectSvd(Float64Array.from(entries), n);
  });

  test("finds ml-matrix's singular values, and its vectors up to their sign", () => {
    for (const n of [1, 2, 3, 7, 16, 64]) {
      const a = random(n, n);
      const { u, s } = expectSvd(a, n);
      const theirs = new SingularValueDecomposition(Matrix.from1DArray(n, n, Array.from(a)));
      expect(distance(s, Float64Array.from(theirs.diagonal))).toBeLessThan(EXACT * s[0]);
      for (let j = 0; j < n; j++) {
        let cosine = 0;
        for (let i = 0; i < n; i++) cosine += u[i * n + j] * theirs.leftSingularVectors.get(i, j);
        expect(Math.abs(Math.abs(cosine) - 1)).toBeLessThan(1e-9);
      }
    }
  });

  test("has as many singular values above rounding as the matrix has rank", () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 2, max: 20 }), fc.nat(), (seed, n, from) => {
        const rank = from % n;
        const left = random(n, seed);
        const right = random(n, seed + 1);
        for (let i = 0; i < n; i++) left.fill(0, i * n + rank, (i + 1) * n);
        const { s } = expectSvd(times(left, right, n), n);
        for (let i = rank; i < n; i++) expect(s[i]).toBeLessThanOrEqual(1e-13 * (s[0] || 1));
      }),
      { numRuns: 100 },
    );
  });

  test("gives repeated singular values as often as they occur", () => {
    for (const n of [2, 5, 16]) {
      const [u, v] = [squareSvd(random(n, 3), n).u, squareSvd(random(n, 4), n).v];
      const expected = Float64Array.from({ length: n }, (_, i) => (i < n / 2 ? 2 : 0.5));
      const { s } = expectSvd(times(times(u, diagonal(expected), n), v, n, true), n);
      expect(distance(s, expected)).toBeLessThan(EXACT);
      expect(distance(expectSvd(u, n).s, new Float64Array(n).fill(1))).toBeLessThan(EXACT);
    }
  });

  test("finds no singular value in zeros, and one number's magnitude in one number", () => {
    expect([...expectSvd(new Float64Array(9), 3).s]).toEqual([0, 0, 0]);
    expect([...squareSvd(Float64Array.of(-2), 1).s]).toEqual([2]);
  });

  test("clears a row or a column whose place on the diagonal is 0", () => {
    const shift = (n: number, at: readonly number[]) => {
      const a = diagonal(Float64Array.from({ length: n }, (_, i) => (at.includes(i) ? 0 : i + 1)));
      for (let i = 0; i + 1 < n; i++) a[i * n + i + 1] = 1;
      return a;
    };
    for (const at of [[0], [2], [4], [1, 3], [0, 4], [0, 1, 2, 3, 4]]) expectSvd(shift(5, at), 5);
  });

  test("takes numbers of any scale, and small ones next to large ones", () => {
    const a = random(6, 9);
    for (const scale of [1e-300, 1e-38, 1e38, 1e300]) {
      const { s } = expectSvd(
        a.map((x) => x * scale),
        6,
      );
      expect(s[0] / scale).toBeCloseTo(squareSvd(a, 6).s[0], 12);
    }
    expectSvd(
      a.map((x, i) => x * 10 ** (-4 * (i % 6))),
      6,
    );
    expectSvd(
      a.map((x, i) => x * 10 ** (-40 * Math.floor(i / 6))),
      6,
    );
  });

  test("is not a number wherever a number is not finite", () => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const { u, s, v } = squareSvd(Float64Array.of(1, bad, 2, 3), 2);
      expect([...u, ...s, ...v].every(Number.isNaN)).toBe(true);
    }
  });
});
