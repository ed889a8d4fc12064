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

/**
 * `columns = q r`: q's columns orthonormal, or 0 where a column depends on earlier ones. Gram-Schmidt, repeated for a
 * column that lost most of its length (Kahan and Parlett: twice is enough).
 */
function orthogonalised({ rows, cols, data }: Columns): { q: Columns; r: Matrix } {
  const q = data.slice();
  const r = Matrix.zeros(cols, cols);
  for (let j = 0; j < cols; j++) {
    const v = q.subarray(j * rows, (j + 1) * rows);
    const original = Math.sqrt(dot(v, v));
    let before = original;
    let length = original;
    for (let pass = 0; pass < 2; pass++) {
      for (let i = 0; i < j; i++) {
        const u = q.subarray(i * rows, (i + 1) * rows);
        const share = dot(u, v);
        for (let k = 0; k < rows; k++) v[k] -= share * u[k];
        r.set(i, j, r.get(i, j) + share);
      }
      length = Math.sqrt(dot(v, v));
      if (length > 0.7 * before) break;
      before = length;
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

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k] * b[k];
  return sum;
}

/** `columns weights`. */
function combined(columns: Columns, weights: Matrix): Columns {
  const { rows, cols, data } = columns;
  const out = new Float64Array(rows * cols);
  for (let j = 0; j < cols; j++) {
    const to = out.subarray(j * rows, (j + 1) * rows);
    for (let i = 0; i < cols; i++) {
      const weight = weights.get(i, j);
      const from = data.subarray(i * rows, (i + 1) * rows);
      for (let k = 0; k < rows; k++) to[k] += weight * from[k];
    }
  }
  return { rows, cols, data: out };
}
