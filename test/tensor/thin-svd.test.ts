import fc from "fast-check";
import { Matrix, SingularValueDecomposition } from "ml-matrix";
import { describe, expect, test } from "vitest";
import { basisOf } from "../../src/tensor/basis.ts";
import { addCombinations, type Columns, innerProducts } from "../../src/tensor/columns.ts";
import { svdOfProduct } from "../../src/tensor/thin-svd.ts";
import { uniform } from "../models/stored.ts";

const random = (rows: number, cols: number, seed: number): Columns => ({
  rows,
  cols,
  data: Float64Array.from({ length: rows * cols }, uniform(seed)),
});
const column = ({ rows, data }: Columns, j: number) => data.subarray(j * rows, (j + 1) * rows);
const inner = (a: Float64Array, b: Float64Array) => a.reduce((sum, x, k) => sum + x * b[k], 0);
const entry = (x: Columns, i: number, j: number) => x.data[j * x.rows + i];

/** The largest difference between `left rightᵀ` and what was found of it. */
function misfit(left: Columns, right: Columns): number {
  const { u, s, v } = svdOfProduct(left, right);
  let most = 0;
  for (let i = 0; i < left.rows; i++) {
    for (let j = 0; j < right.rows; j++) {
      let rest = 0;
      for (let k = 0; k < left.cols; k++) {
        rest += entry(left, i, k) * entry(right, j, k) - entry(u, i, k) * s[k] * entry(v, j, k);
      }
      most = Math.max(most, Math.abs(rest));
    }
  }
  return most;
}

/** How far the columns whose singular values are above rounding are from orthonormal. */
function skew(vectors: Columns, s: readonly number[]): number {
  const used = s.filter((x) => x > 1e-12 * s[0]).length;
  let most = 0;
  for (let i = 0; i < used; i++) {
    for (let j = 0; j <= i; j++) {
      most = Math.max(most, Math.abs(inner(column(vectors, i), column(vectors, j)) - (i === j ? 1 : 0)));
    }
  }
  return most;
}

describe("products of columns", () => {
  test("equal the sums that define them, for any numbers of columns", () => {
    const count = fc.integer({ min: 1, max: 11 });
    fc.assert(
      fc.property(count, count, count, fc.integer(), (m, n, rows, seed) => {
        const [a, b, weights] = [random(rows, m, seed), random(rows, n, seed + 1), random(m, n, seed + 2).data];
        const products = innerProducts(a.data, m, b.data, n, rows);
        const own = innerProducts(a.data, m, a.data, m, rows, true);
        const sums = b.data.slice();
        addCombinations(sums, n, a.data, m, rows, weights);
        for (let i = 0; i < m; i++) {
          for (let j = 0; j < n; j++) expect(products[i * n + j]).toBeCloseTo(inner(column(a, i), column(b, j)), 12);
          for (let j = i; j < m; j++) expect(own[i * m + j]).toBeCloseTo(inner(column(a, i), column(a, j)), 12);
        }
        for (let j = 0; j < n; j++) {
          for (let k = 0; k < rows; k++) {
            let expected = entry(b, k, j);
            for (let i = 0; i < m; i++) expected += weights[i * n + j] * entry(a, k, i);
            expect(sums[j * rows + k]).toBeCloseTo(expected, 12);
          }
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe("basisOf", () => {
  test("goes by inner products for columns that differ, and column by column for those that hardly do", () => {
    const apart = random(40, 5, 1);
    expect(basisOf(apart).from).toBe(apart);
    const close = random(40, 5, 1);
    column(close, 4).set(column(close, 0).map((x, k) => x + 1e-6 * entry(close, k, 4)));
    const basis = basisOf(close);
    expect(basis.from).not.toBe(close);
    expect(basis.to).toBeUndefined();
    expect(skew(basis.from, [1, 1, 1, 1, 1])).toBeLessThan(1e-14);
  });
});

describe("svdOfProduct", () => {
  test("has orthonormal singular vectors and multiplies back, for tall and wide factors of any rank", () => {
    const rows = fc.integer({ min: 1, max: 30 });
    const rank = fc.integer({ min: 1, max: 12 });
    fc.assert(
      fc.property(rows, rows, rank, fc.integer(), fc.nat(), (l, r, n, seed, repeated) => {
        const [left, right] = [random(l, n, seed), random(r, n, seed + 1)];
        if (repeated % 2) column(left, n - 1).set(column(left, repeated % n));
        const { u, s, v } = svdOfProduct(left, right);
        expect([...s].sort((a, b) => b - a)).toEqual(s);
        expect(misfit(left, right)).toBeLessThan(1e-12);
        expect(skew(u, s)).toBeLessThan(1e-9);
        expect(skew(v, s)).toBeLessThan(1e-9);
      }),
      { numRuns: 200 },
    );
  });

  test("gives left vectors whose largest number is positive, whatever the signs of the factors", () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 6 }), fc.boolean(), (seed, n, negative) => {
        const [left, right] = [random(9, n, seed), random(8, n, seed + 1)];
        if (negative)
          left.data.forEach((x, i) => {
            left.data[i] = -x;
          });
        const { u } = svdOfProduct(left, right);
        for (let j = 0; j < n; j++) {
          const numbers = [...column(u, j)];
          expect(Math.max(...numbers)).toBe(Math.max(...numbers.map(Math.abs)));
        }
      }),
      { numRuns: 60 },
    );
  });

  test("finds ml-matrix's singular values of the whole product, at a head's size", () => {
    const [left, right] = [random(96, 64, 1), random(90, 64, 2)];
    const whole = Matrix.zeros(96, 90);
    for (let i = 0; i < 96; i++) {
      for (let j = 0; j < 90; j++) {
        for (let k = 0; k < 64; k++) whole.set(i, j, whole.get(i, j) + entry(left, i, k) * entry(right, j, k));
      }
    }
    const expected = new SingularValueDecomposition(whole).diagonal;
    const { u, s, v } = svdOfProduct(left, right);
    for (let k = 0; k < 64; k++) expect(Math.abs(s[k] - expected[k])).toBeLessThan(1e-12 * s[0]);
    expect(skew(u, s)).toBeLessThan(1e-11);
    expect(skew(v, s)).toBeLessThan(1e-11);
  });

  test("keeps its precision when columns nearly agree, differ in scale by far, or are 0", () => {
    const change: readonly ((x: Columns) => void)[] = [
      (x) => column(x, 3).set(column(x, 0).map((y, k) => y * (1 + 1e-7 * k))),
      (x) => column(x, 3).set(column(x, 0).map((y) => y * (1 + 1e-9))),
      (x) =>
        column(x, 2).forEach((y, k, all) => {
          all[k] = 1e-12 * y;
        }),
      (x) => column(x, 1).fill(0),
      (x) => x.data.fill(0),
    ];
    for (const one of change) {
      const [left, right] = [random(20, 5, 3), random(25, 5, 4)];
      one(left);
      expect(misfit(left, right)).toBeLessThan(1e-13);
      const { u, s, v } = svdOfProduct(left, right);
      expect(skew(u, s)).toBeLessThan(1e-9);
      expect(skew(v, s)).toBeLessThan(1e-9);
    }
  });
});
