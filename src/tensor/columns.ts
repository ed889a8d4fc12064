/** Matrices stored column by column, and their products in float64: loops that hold several sums in registers. */

/** A matrix stored column by column: column j is `data[j*rows .. (j+1)*rows]`. */
export interface Columns {
  readonly rows: number;
  readonly cols: number;
  readonly data: Float64Array;
}

/** The inner product of two vectors of the same length. */
export function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k] * b[k];
  return sum;
}

/**
 * `out[i*n + j] = a_i · b_j`, for m columns of one matrix and n of another: two of the first with four of the second at a time.
 * `upper` leaves out pairs with j < i, except next to the diagonal.
 */
export function innerProducts(
  a: Float64Array,
  m: number,
  b: Float64Array,
  n: number,
  rows: number,
  upper = false,
): Float64Array {
  const out = new Float64Array(m * n);
  const [m2, n4] = [m - (m % 2), n - (n % 4)];
  for (let i = 0; i < m2; i += 2) {
    for (let j = upper ? i - (i % 4) : 0; j < n4; j += 4) innerBlock(a, i, b, j, rows, out, n);
  }
  const one = (i: number, j: number) => dot(a.subarray(i * rows, (i + 1) * rows), b.subarray(j * rows, (j + 1) * rows));
  for (let i = 0; i < m; i++) for (let j = i < m2 ? n4 : 0; j < n; j++) out[i * n + j] = one(i, j);
  return out;
}

function innerBlock(
  a: Float64Array,
  i: number,
  b: Float64Array,
  j: number,
  rows: number,
  out: Float64Array,
  n: number,
): void {
  const a0 = i * rows;
  const a1 = a0 + rows;
  const b0 = j * rows;
  const b1 = b0 + rows;
  const b2 = b1 + rows;
  const b3 = b2 + rows;
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
  const at = i * n + j;
  out[at] = c00;
  out[at + 1] = c01;
  out[at + 2] = c02;
  out[at + 3] = c03;
  out[at + n] = c10;
  out[at + n + 1] = c11;
  out[at + n + 2] = c12;
  out[at + n + 3] = c13;
}

/** `out_j += Σ_i weights[i*n + j] columns_i`, for n columns of m: two of the first from four of the second at a time. */
export function addCombinations(
  out: Float64Array,
  n: number,
  columns: Float64Array,
  m: number,
  rows: number,
  weights: Float64Array,
): void {
  const [m4, n2] = [m - (m % 4), n - (n % 2)];
  for (let j = 0; j < n2; j += 2) {
    for (let i = 0; i < m4; i += 4) addBlock(out, j, columns, i, rows, weights, n);
  }
  for (let j = 0; j < n; j++) {
    for (let i = j < n2 ? m4 : 0; i < m; i++) {
      const w = weights[i * n + j];
      for (let k = 0; k < rows; k++) out[j * rows + k] += w * columns[i * rows + k];
    }
  }
}

function addBlock(
  out: Float64Array,
  j: number,
  columns: Float64Array,
  i: number,
  rows: number,
  weights: Float64Array,
  n: number,
): void {
  const at = i * n + j;
  const w00 = weights[at];
  const w10 = weights[at + n];
  const w20 = weights[at + 2 * n];
  const w30 = weights[at + 3 * n];
  const w01 = weights[at + 1];
  const w11 = weights[at + n + 1];
  const w21 = weights[at + 2 * n + 1];
  const w31 = weights[at + 3 * n + 1];
  const to0 = j * rows;
  const to1 = to0 + rows;
  const f0 = i * rows;
  const f1 = f0 + rows;
  const f2 = f1 + rows;
  const f3 = f2 + rows;
  for (let k = 0; k < rows; k++) {
    const p = columns[f0 + k];
    const q = columns[f1 + k];
    const r = columns[f2 + k];
    const s = columns[f3 + k];
    out[to0 + k] += w00 * p + w10 * q + w20 * r + w30 * s;
    out[to1 + k] += w01 * p + w11 * q + w21 * r + w31 * s;
  }
}
