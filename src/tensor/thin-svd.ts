/**
 * The singular value decomposition of a product of two thin matrices, without computing the product: a basis of each
 * factor's columns, the decomposition of the small matrix between the two, and its singular vectors mapped back.
 */
import { type Basis, basisOf } from "./basis.ts";
import { addCombinations, type Columns } from "./columns.ts";
import { squareSvd } from "./square-svd.ts";

export interface ThinSvd {
  /** Orthonormal columns wherever the singular value is not 0. The number with the largest magnitude in each column is positive. */
  readonly u: Columns;
  /** In descending order. */
  readonly s: readonly number[];
  readonly v: Columns;
}

/** `left rightᵀ = u diag(s) vᵀ`, for two matrices with the same number of columns. */
export function svdOfProduct(left: Columns, right: Columns): ThinSvd {
  const n = left.cols;
  const [a, b] = [basisOf(left), basisOf(right)];
  const { u, s, v } = squareSvd(timesTransposed(a.r, b.r, n), n);
  const found = { u: mapped(a, u), s: Array.from(s), v: mapped(b, v) };
  turnSigns(found);
  return found;
}

/** A pair of vectors may both be negated: of the two, this takes the one whose largest number in u is positive, as scikit-learn's `svd_flip`. */
function turnSigns({ u, v }: ThinSvd): void {
  for (let j = 0; j < u.cols; j++) {
    const column = u.data.subarray(j * u.rows, (j + 1) * u.rows);
    let largest = 0;
    for (let i = 0; i < column.length; i++) if (Math.abs(column[i]) > Math.abs(largest)) largest = column[i];
    if (largest >= 0) continue;
    for (let i = 0; i < column.length; i++) column[i] = -column[i];
    for (let i = j * v.rows; i < (j + 1) * v.rows; i++) v.data[i] = -v.data[i];
  }
}

/** `a bᵀ` of upper triangular matrices [n n]. */
function timesTransposed(a: Float64Array, b: Float64Array, n: number): Float64Array {
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let k = Math.max(i, j); k < n; k++) sum += a[i * n + k] * b[j * n + k];
      out[i * n + j] = sum;
    }
  }
  return out;
}

/** `q weights`, for weights [n n] in the coordinates of a basis. */
function mapped({ from, to }: Basis, weights: Float64Array): Columns {
  const { rows, cols, data } = from;
  const out = new Float64Array(rows * cols);
  addCombinations(out, cols, data, cols, rows, to ? times(to, weights, cols) : weights);
  return { rows, cols, data: out };
}

/** `a b`, for a upper triangular and b [n n]. */
function times(a: Float64Array, b: Float64Array, n: number): Float64Array {
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let k = i; k < n; k++) {
      const share = a[i * n + k];
      for (let j = 0; j < n; j++) out[i * n + j] += share * b[k * n + j];
    }
  }
  return out;
}
