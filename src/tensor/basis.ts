/** An orthonormal basis of a matrix's columns. */
import { addCombinations, type Columns, dot, innerProducts } from "./columns.ts";

/** `columns = q r`, with `q = from to`: q's columns are orthonormal, or 0 where a column depends on earlier ones. */
export interface Basis {
  readonly from: Columns;
  /** [cols cols], row by row; `undefined` stands for the identity. */
  readonly to: Float64Array | undefined;
  /** [cols cols], row by row, upper triangular. */
  readonly r: Float64Array;
}

/** The basis from the columns' inner products where that is precise, else column by column. */
export function basisOf(columns: Columns): Basis {
  return fromInnerProducts(columns) ?? orthogonalised(columns);
}

/** How far q may be from orthonormal, at most, when it is made from inner products. float32 ends at 6e-8. */
const PRECISE = 1e-10;

/**
 * `aᵀa = rᵀr` (Cholesky), `q = a r⁻¹`: half the arithmetic of going column by column. Its error grows with the square of the condition
 * number of a's columns, scaled to length 1, which `‖r⁻¹‖` bounds. `undefined` if that is too much. Source: Stathopoulos and Wu 2002.
 */
function fromInnerProducts(columns: Columns): Basis | undefined {
  const { rows, cols: n, data } = columns;
  const r = innerProducts(data, n, data, n, rows, true);
  const lengths = Float64Array.from({ length: n }, (_, i) => Math.sqrt(r[i * n + i]));
  for (let i = 0; i < n; i++) for (let j = i; j < n; j++) r[i * n + j] /= lengths[i] * lengths[j];
  if (!factorised(r, n)) return undefined;
  const to = inverted(r, n);
  if (!(Number.EPSILON * n * dot(to, to) < PRECISE)) return undefined;
  for (let i = 0; i < n; i++) {
    for (let j = i; j < n; j++) {
      r[i * n + j] *= lengths[j];
      to[i * n + j] /= lengths[i];
    }
  }
  return { from: columns, to, r };
}

/** Turns the upper half of a symmetric matrix into r, with `rᵀ r` the matrix; `false` if it has no such root. */
function factorised(x: Float64Array, n: number): boolean {
  for (let k = 0; k < n; k++) {
    const row = x.subarray(k * n, (k + 1) * n);
    x.fill(0, k * n, k * n + k);
    if (!(row[k] > 0)) return false;
    const root = Math.sqrt(row[k]);
    for (let j = k; j < n; j++) row[j] /= root;
    for (let i = k + 1; i < n; i++) {
      const share = row[i];
      for (let j = i, at = i * n + i; j < n; j++, at++) x[at] -= share * row[j];
    }
  }
  return true;
}

/** The inverse of an upper triangular matrix. */
function inverted(r: Float64Array, n: number): Float64Array {
  const out = new Float64Array(n * n);
  for (let i = n - 1; i >= 0; i--) {
    const row = out.subarray(i * n, (i + 1) * n);
    row[i] = 1;
    for (let k = i + 1; k < n; k++) {
      const share = r[i * n + k];
      for (let j = k, at = k * n + k; j < n; j++, at++) row[j] -= share * out[at];
    }
    for (let j = i; j < n; j++) row[j] /= r[i * n + i];
  }
  return out;
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
function orthogonalised({ rows, cols, data }: Columns): Basis {
  const q = data.slice();
  const r = new Float64Array(cols * cols);
  const column = (j: number) => q.subarray(j * rows, (j + 1) * rows);
  const takeAway = (i: number, j: number) => {
    const [u, v] = [column(i), column(j)];
    const share = dot(u, v);
    for (let k = 0; k < rows; k++) v[k] -= share * u[k];
    r[i * cols + j] += share;
  };
  for (let j = 0; j < cols; j++) {
    const first = j - (j % TOGETHER);
    if (j === first) takeAwayAll(q, rows, cols, first, r);
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
    r[j * cols + j] = length;
    for (let k = 0; k < rows; k++) v[k] /= length;
  }
  return { from: { rows, cols, data: q }, to: undefined, r };
}

/** Takes from the columns from `first` on, those that go together, what they share with all before them. */
function takeAwayAll(q: Float64Array, rows: number, cols: number, first: number, r: Float64Array): void {
  const count = Math.min(TOGETHER, cols - first);
  const [before, here] = [q.subarray(0, first * rows), q.subarray(first * rows, (first + count) * rows)];
  const shares = innerProducts(before, first, here, count, rows);
  for (let i = 0; i < first; i++) for (let j = 0; j < count; j++) r[i * cols + first + j] = shares[i * count + j];
  addCombinations(
    here,
    count,
    before,
    first,
    rows,
    shares.map((x) => -x),
  );
}

const norm = (v: Float64Array): number => Math.sqrt(dot(v, v));
