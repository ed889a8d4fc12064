/** A square matrix made bidiagonal by reflections from both sides. Source: Golub and Van Loan, "Matrix Computations", section 5.4. */

/** `a = left B rightᵀ`, with `d` on B's diagonal and e[i] in its row i and column i + 1. Matrices are [n n], stored row by row. */
export interface Bidiagonal {
  readonly d: Float64Array;
  readonly e: Float64Array;
  readonly left: Float64Array;
  readonly right: Float64Array;
}

/** In a matrix whose largest entry is 1, what is smaller counts as 0: squares of it would no longer be exact. */
export const TINY = 2 ** -400;

/** The largest entry should be 1: squares are summed. */
export function bidiagonalised(matrix: Float64Array, n: number): Bidiagonal {
  const a = matrix.slice();
  const [d, e] = [new Float64Array(n), new Float64Array(Math.max(n - 1, 0))];
  // Row k is the vector of the reflection that makes column, or row, k bidiagonal.
  const [columns, rows] = [new Float64Array(n * n), new Float64Array(n * n)];
  for (let k = 0; k < n; k++) {
    const down = columns.subarray(k * n, (k + 1) * n);
    for (let i = k; i < n; i++) down[i] = a[i * n + k];
    d[k] = reflector(down, k);
    reflectRows(a, n, down, k, k + 1);
    if (k + 1 === n) break;
    const along = rows.subarray(k * n, (k + 1) * n);
    for (let j = k + 1; j < n; j++) along[j] = a[k * n + j];
    e[k] = reflector(along, k + 1);
    reflectColumns(a, n, along, k + 1, k + 1);
  }
  return { d, e, left: productOf(columns, n, 0), right: productOf(rows, n, 1) };
}

/**
 * Makes of x a v, from `first` on, with `(I - v vᵀ) x` = (length, 0, 0, …), and returns the length, with a sign. v is 0 if
 * there is nothing to reflect.
 */
function reflector(x: Float64Array, first: number): number {
  for (let i = first; i < x.length; i++) if (Math.abs(x[i]) < TINY) x[i] = 0;
  const start = x[first];
  let rest = 0;
  for (let i = first + 1; i < x.length; i++) rest += x[i] * x[i];
  if (rest === 0) {
    x[first] = 0;
    return start;
  }
  const squared = start * start + rest;
  const length = start > 0 ? -Math.sqrt(squared) : Math.sqrt(squared);
  const by = 1 / Math.sqrt(squared - start * length);
  x[first] = start - length;
  for (let i = first; i < x.length; i++) x[i] *= by;
  return length;
}

/** `(I - v vᵀ) x` on rows and columns from the given ones on; four rows at a time. */
function reflectRows(x: Float64Array, n: number, v: Float64Array, row: number, column: number): void {
  const shares = new Float64Array(n);
  let i = row;
  for (; i + 4 <= n; i += 4) {
    const [v0, v1, v2, v3] = [v[i], v[i + 1], v[i + 2], v[i + 3]];
    for (let j = column, at = i * n + column; j < n; j++, at++) {
      shares[j] += v0 * x[at] + v1 * x[at + n] + v2 * x[at + 2 * n] + v3 * x[at + 3 * n];
    }
  }
  for (; i < n; i++) for (let j = column; j < n; j++) shares[j] += v[i] * x[i * n + j];
  for (i = row; i + 4 <= n; i += 4) {
    const [v0, v1, v2, v3] = [v[i], v[i + 1], v[i + 2], v[i + 3]];
    for (let j = column, at = i * n + column; j < n; j++, at++) {
      const y = shares[j];
      x[at] -= v0 * y;
      x[at + n] -= v1 * y;
      x[at + 2 * n] -= v2 * y;
      x[at + 3 * n] -= v3 * y;
    }
  }
  for (; i < n; i++) for (let j = column; j < n; j++) x[i * n + j] -= v[i] * shares[j];
}

/** `x (I - v vᵀ)` on rows and columns from the given ones on; four rows at a time. */
function reflectColumns(x: Float64Array, n: number, v: Float64Array, row: number, column: number): void {
  let i = row;
  for (; i + 4 <= n; i += 4) {
    const [p, q, r, w] = [i * n, (i + 1) * n, (i + 2) * n, (i + 3) * n];
    let [s0, s1, s2, s3] = [0, 0, 0, 0];
    for (let j = column; j < n; j++) {
      const y = v[j];
      s0 += y * x[p + j];
      s1 += y * x[q + j];
      s2 += y * x[r + j];
      s3 += y * x[w + j];
    }
    for (let j = column; j < n; j++) {
      const y = v[j];
      x[p + j] -= s0 * y;
      x[q + j] -= s1 * y;
      x[r + j] -= s2 * y;
      x[w + j] -= s3 * y;
    }
  }
  for (; i < n; i++) {
    let share = 0;
    for (let j = column; j < n; j++) share += v[j] * x[i * n + j];
    for (let j = column; j < n; j++) x[i * n + j] -= share * v[j];
  }
}

/** The product of the reflections whose vectors are the rows; that of row k leaves entries before `k + offset` alone. */
function productOf(vectors: Float64Array, n: number, offset: number): Float64Array {
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i++) out[i * n + i] = 1;
  // The transpose, so that what is reflected lies in rows.
  for (let k = n - 1 - offset; k >= 0; k--) {
    reflectColumns(out, n, vectors.subarray(k * n, (k + 1) * n), k + offset, k + offset);
  }
  return transposed(out, n);
}

function transposed(x: Float64Array, n: number): Float64Array {
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) out[j * n + i] = x[i * n + j];
  return out;
}
