/**
 * The singular value decomposition of a product of two thin matrices, without computing the product: orthogonalise each
 * factor's columns, decompose the small matrix between the two bases, and map its singular vectors back.
 */
import { Matrix, SingularValueDecomposition } from "ml-matrix";

/** A matrix stored column by column: column j is `data[j*rows .. (j+1)*rows]`. */
export interface Columns {
  readonly rows: number;
  readonly cols: number;
  readonly data: Float64Array;
}

export interface ThinSvd {
  /** Orthonormal columns wherever the singular value is not 0. */
  readonly u: Columns;
  /** In descending order. */
  readonly s: readonly number[];
  readonly v: Columns;
}

/** `left rightᵀ = u diag(s) vᵀ`, for two matrices with the same number of columns. */
export function svdOfProduct(left: Columns, right: Columns): ThinSvd {
  const a = orthogonalised(left);
  const b = orthogonalised(right);
  const svd = new SingularValueDecomposition(a.r.mmul(b.r.transpose()), { autoTranspose: true });
  return {
    u: combined(a.q, svd.leftSingularVectors),
    s: svd.diagonal,
    v: combined(b.q, svd.rightSingularVectors),
  };
}

/** If less than this share of a column's length is left, the rest is rounding error: the column depends on earlier ones. */
const DEPENDENT = 1e-14;
/** A column that keeps more than this share is orthogonal to earlier ones to full precision; another one needs a second pass. */
const KEPT = 0.7;
/** Columns that are orthogonalised against all earlier ones together, which is faster than one by one. */
const TOGETHER = 8;

/**
 * `columns = q r`: q's columns orthonormal, or 0 where a column depends on earlier ones. Gram-Schmidt, repeated for a
 * column that lost most of its length (Kahan and Parlett: twice is enough).
 */
function orthogonalised({ rows, cols, data }: Columns): { q: Columns; r: Matrix } {
  const q = data.slice();
  const r = Matrix.zeros(cols, cols);
  const column = (j: number) => q.subarray(j * rows, (j + 1) * rows);
  const takeAway = (i: number, j: number) => {
    const [u, v] = [column(i), column(j)];
    const share = dot(u, v);
    for (let k = 0; k < rows; k++) v[k] -= share * u[k];
    r.set(i, j, r.get(i, j) + share);
  };
  for (let j = 0; j < cols; j++) {
    const first = j - (j % TOGETHER);
    if (j === first) takeAwayAll(q, rows, first, Math.min(TOGETHER, cols - first), r);
    const v = column(j);
    const original = norm(data.subarray(j * rows, (j + 1) * rows));
    for (let i = first; i < j; i++) takeAway(i, j);
    let length = norm(v);
    if (length <= KEPT * original) {
      for (let i = 0; i < j; i++) takeAway(i, j);
      length = norm(v);
    }
    if (length <= DEPENDENT * original) {
      v.fill(0);
      continue;
    }
    r.set(j, j, length);
    for (let k = 0; k < rows; k++) v[k] /= length;
  }
  return { q: { rows, cols, data: q }, r };
}

/** Takes from `count` columns from `first` on what they share with all before them. */
function takeAwayAll(q: Float64Array, rows: number, first: number, count: number, r: Matrix): void {
  const [before, here] = [q.subarray(0, first * rows), q.subarray(first * rows, (first + count) * rows)];
  const shares = inner(before, first, here, count, rows);
  for (let i = 0; i < first; i++) for (let j = 0; j < count; j++) r.set(i, first + j, shares[i * count + j]);
  addCombinations(here, count, before, first, rows, (i, j) => -shares[i * count + j]);
}

const norm = (v: Float64Array): number => Math.sqrt(dot(v, v));

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k] * b[k];
  return sum;
}

/** The inner product of each of m columns with each of n, [m n]: two of the first with four of the second at a time. */
function inner(a: Float64Array, m: number, b: Float64Array, n: number, rows: number): Float64Array {
  const out = new Float64Array(m * n);
  const [m2, n4] = [m - (m % 2), n - (n % 4)];
  for (let i = 0; i < m2; i += 2) {
    for (let j = 0; j < n4; j += 4) {
      const [a0, a1] = [i * rows, (i + 1) * rows];
      const [b0, b1, b2, b3] = [j * rows, (j + 1) * rows, (j + 2) * rows, (j + 3) * rows];
      let c00 = 0;
      let c01 = 0;
      let c02 = 0;
      let c03 = 0;
      let c10 = 0;
      let c11 = 0;
      let c12 = 0;
      let c13 = 0;
      for (let k = 0; k < rows; k++) {
        const x = a[a0 + k];
        const y = a[a1 + k];
        const p = b[b0 + k];
        const q = b[b1 + k];
        const r = b[b2 + k];
        const s = b[b3 + k];
        c00 += x * p;
        c01 += x * q;
        c02 += x * r;
        c03 += x * s;
        c10 += y * p;
        c11 += y * q;
        c12 += y * r;
        c13 += y * s;
      }
      out.set([c00, c01, c02, c03], i * n + j);
      out.set([c10, c11, c12, c13], (i + 1) * n + j);
    }
  }
  const one = (i: number, j: number) => dot(a.subarray(i * rows, (i + 1) * rows), b.subarray(j * rows, (j + 1) * rows));
  for (let i = 0; i < m; i++) for (let j = i < m2 ? n4 : 0; j < n; j++) out[i * n + j] = one(i, j);
  return out;
}

/** `out_j += Σ_i weight(i, j) columns_i`, for n columns of m: two of the first from four of the second at a time. */
function addCombinations(
  out: Float64Array,
  n: number,
  columns: Float64Array,
  m: number,
  rows: number,
  weight: (i: number, j: number) => number,
): void {
  const [m4, n2] = [m - (m % 4), n - (n % 2)];
  for (let j = 0; j < n2; j += 2) {
    const [to0, to1] = [j * rows, (j + 1) * rows];
    for (let i = 0; i < m4; i += 4) {
      const [w00, w10, w20, w30] = [weight(i, j), weight(i + 1, j), weight(i + 2, j), weight(i + 3, j)];
      const [w01, w11, w21, w31] = [weight(i, j + 1), weight(i + 1, j + 1), weight(i + 2, j + 1), weight(i + 3, j + 1)];
      const [f0, f1, f2, f3] = [i * rows, (i + 1) * rows, (i + 2) * rows, (i + 3) * rows];
      for (let k = 0; k < rows; k++) {
        const p = columns[f0 + k];
        const q = columns[f1 + k];
        const r = columns[f2 + k];
        const s = columns[f3 + k];
        out[to0 + k] += w00 * p + w10 * q + w20 * r + w30 * s;
        out[to1 + k] += w01 * p + w11 * q + w21 * r + w31 * s;
      }
    }
  }
  for (let j = 0; j < n; j++) {
    for (let i = j < n2 ? m4 : 0; i < m; i++) {
      const w = weight(i, j);
      for (let k = 0; k < rows; k++) out[j * rows + k] += w * columns[i * rows + k];
    }
  }
}

/** `columns weights`. */
function combined({ rows, cols, data }: Columns, weights: Matrix): Columns {
  const out = new Float64Array(rows * cols);
  addCombinations(out, cols, data, cols, rows, (i, j) => weights.get(i, j));
  return { rows, cols, data: out };
}
