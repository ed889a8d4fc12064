/**
 * The singular value decomposition of a small square matrix in float64: reflections make it bidiagonal, shifted QR steps diagonal.
 * Source: Golub and Reinsch 1970; Golub and Van Loan, "Matrix Computations", section 8.6. ml-matrix's, which it agrees with, takes
 * several times as long (`npm run bench -- svd`).
 */

import { bidiagonalised, TINY } from "./bidiagonal.ts";
import { GlassformerError } from "./errors.ts";
import { rotate, rotateInTurn } from "./rotations.ts";

/** `a = u diag(s) vᵀ`. Matrices are [n n], stored row by row. */
export interface SquareSvd {
  /** Orthogonal. */
  readonly u: Float64Array;
  /** From the largest down; none is negative. */
  readonly s: Float64Array;
  /** Orthogonal. */
  readonly v: Float64Array;
}

/** What is left of the diagonalisation: `d` on the diagonal, e[i] in row i and column i + 1, and the bases so far. */
interface Work {
  readonly n: number;
  readonly d: Float64Array;
  readonly e: Float64Array;
  readonly u: Float64Array;
  readonly v: Float64Array;
}

/** Steps for each singular value; two are usual. */
const MOST_STEPS = 60;

/** The decomposition of a matrix [n n], stored row by row. Where a number is not finite, all of the result is NaN. */
export function squareSvd(matrix: Float64Array, n: number): SquareSvd {
  const scale = matrix.reduce((largest, x) => Math.max(largest, Math.abs(x)), 0);
  if (!Number.isFinite(scale)) return notFinite(n);
  const { d, e, left: u, right: v } = bidiagonalised(scale === 0 ? matrix : matrix.map((x) => x / scale), n);
  diagonalise({ n, d, e, u, v });
  for (let j = 0; j < n; j++) {
    if (d[j] >= 0) continue;
    d[j] = -d[j];
    for (let i = 0; i < n; i++) v[i * n + j] = -v[i * n + j];
  }
  const order = Array.from(d.keys()).sort((i, j) => d[j] - d[i]);
  return { u: inOrder(u, order), s: Float64Array.from(order, (i) => d[i] * scale), v: inOrder(v, order) };
}

function notFinite(n: number): SquareSvd {
  const nan = (size: number) => new Float64Array(size).fill(Number.NaN);
  return { u: nan(n * n), s: nan(n), v: nan(n * n) };
}

/** The matrix's columns in another order. */
function inOrder(x: Float64Array, order: readonly number[]): Float64Array {
  const n = order.length;
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) out[i * n + j] = x[i * n + order[j]];
  return out;
}

/** QR steps on the last block that is not yet diagonal, until none is. */
function diagonalise(work: Work): void {
  const { n, d, e } = work;
  let last = n - 1;
  for (let steps = 0; last > 0; steps++) {
    if (steps > MOST_STEPS * n) throw new GlassformerError("The singular values of a matrix did not converge.");
    for (let i = 0; i < last; i++) {
      if (Math.abs(e[i]) <= TINY + Number.EPSILON * (Math.abs(d[i]) + Math.abs(d[i + 1]))) e[i] = 0;
    }
    while (last > 0 && e[last - 1] === 0) last--;
    if (last === 0) return;
    let first = last - 1;
    while (first > 0 && e[first - 1] !== 0) first--;
    const zero = zeroIn(work, first, last);
    if (zero === undefined) qrStep(work, first, last);
    else if (zero === last) clearColumn(work, first, last);
    else clearRow(work, zero, last);
  }
}

/** A place on the diagonal of a block that is 0 next to its neighbours above the diagonal. */
function zeroIn({ d, e }: Work, first: number, last: number): number | undefined {
  for (let i = first; i <= last; i++) {
    const beside = (i > first ? Math.abs(e[i - 1]) : 0) + (i < last ? Math.abs(e[i]) : 0);
    if (Math.abs(d[i]) <= TINY + Number.EPSILON * beside) return i;
  }
  return undefined;
}

/** With d[i] = 0, rotations with the rows below take what is left of row i. */
function clearRow({ n, d, e, u }: Work, i: number, last: number): void {
  let rest = e[i];
  d[i] = 0;
  e[i] = 0;
  for (let k = i + 1; k <= last && Math.abs(rest) > TINY; k++) {
    const length = Math.sqrt(d[k] * d[k] + rest * rest);
    const [c, s] = [d[k] / length, rest / length];
    d[k] = length;
    rest = -s * e[k];
    if (k < last) e[k] *= c;
    rotate(u, n, k, i, c, s);
  }
}

/** With d[last] = 0, rotations with the columns before take what is left of the last column. */
function clearColumn({ n, d, e, v }: Work, first: number, last: number): void {
  let rest = e[last - 1];
  d[last] = 0;
  e[last - 1] = 0;
  for (let k = last - 1; k >= first && Math.abs(rest) > TINY; k--) {
    const length = Math.sqrt(d[k] * d[k] + rest * rest);
    const [c, s] = [d[k] / length, rest / length];
    d[k] = length;
    rest = k > first ? -s * e[k - 1] : 0;
    if (k > first) e[k - 1] *= c;
    rotate(v, n, k, last, c, s);
  }
}

/** One step on a block: a rotation of columns from the shift, then rotations that move what it leaves below the diagonal out at the end. */
function qrStep({ n, d, e, u, v }: Work, first: number, last: number): void {
  const count = last - first;
  const [right, left] = [new Float64Array(2 * count), new Float64Array(2 * count)];
  const shift = smallest(d[last - 1], e[last - 1], d[last]);
  // (d² - shift²) / d, so that nothing is squared.
  let y = (Math.abs(d[first]) - shift) * (Math.sign(d[first]) + shift / d[first]);
  let z = e[first];
  for (let k = first; k < last; k++) {
    let length = Math.sqrt(y * y + z * z);
    let c = length === 0 ? 1 : y / length;
    let s = length === 0 ? 0 : z / length;
    if (k > first) e[k - 1] = length;
    right[2 * (k - first)] = c;
    right[2 * (k - first) + 1] = s;
    y = c * d[k] + s * e[k];
    z = s * d[k + 1];
    const over = c * e[k] - s * d[k];
    const below = c * d[k + 1];
    length = Math.sqrt(y * y + z * z);
    c = length === 0 ? 1 : y / length;
    s = length === 0 ? 0 : z / length;
    left[2 * (k - first)] = c;
    left[2 * (k - first) + 1] = s;
    d[k] = length;
    e[k] = c * over + s * below;
    d[k + 1] = c * below - s * over;
    if (k + 1 === last) break;
    y = e[k];
    z = s * e[k + 1];
    e[k + 1] *= c;
  }
  rotateInTurn(v, n, first, right);
  rotateInTurn(u, n, first, left);
}

/** The smaller singular value of [[a, b], [0, c]]: `|a c|` over the larger one. */
function smallest(a: number, b: number, c: number): number {
  const [x, y] = [Math.abs(a), Math.abs(c)];
  const largest = (Math.hypot(x + y, b) + Math.hypot(x - y, b)) / 2;
  return largest === 0 ? 0 : x * (y / largest);
}
