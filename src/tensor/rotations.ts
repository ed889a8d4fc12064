/** Rotations of the columns of a matrix [rows n], stored row by row. */

/** Columns i and j become `c x_i + s x_j` and `c x_j - s x_i`. */
export function rotate(x: Float64Array, n: number, i: number, j: number, c: number, s: number): void {
  for (let row = 0; row < x.length; row += n) {
    const [a, b] = [x[row + i], x[row + j]];
    x[row + i] = c * a + s * b;
    x[row + j] = c * b - s * a;
  }
}

/**
 * Rotations of columns `first` and `first + 1`, then of `first + 1` and `first + 2`, and so on, of which `turns` has c and s. Four rows at a
 * time, and what the next rotation takes stays in a register.
 */
export function rotateInTurn(x: Float64Array, n: number, first: number, turns: Float64Array): void {
  const rows = x.length / n;
  const four = rows - (rows % 4);
  for (let row = 0; row < four; row += 4) rotateFour(x, n, row * n + first, turns);
  for (let row = four; row < rows; row++) {
    for (let t = 0, at = row * n + first; t < turns.length; t += 2, at++) {
      const [a, b] = [x[at], x[at + 1]];
      x[at] = turns[t] * a + turns[t + 1] * b;
      x[at + 1] = turns[t] * b - turns[t + 1] * a;
    }
  }
}

function rotateFour(x: Float64Array, n: number, start: number, turns: Float64Array): void {
  let [p, q, r, w] = [start, start + n, start + 2 * n, start + 3 * n];
  let [a0, a1, a2, a3] = [x[p], x[q], x[r], x[w]];
  for (let t = 0; t < turns.length; t += 2) {
    const c = turns[t];
    const s = turns[t + 1];
    const b0 = x[p + 1];
    const b1 = x[q + 1];
    const b2 = x[r + 1];
    const b3 = x[w + 1];
    x[p++] = c * a0 + s * b0;
    x[q++] = c * a1 + s * b1;
    x[r++] = c * a2 + s * b2;
    x[w++] = c * a3 + s * b3;
    a0 = c * b0 - s * a0;
    a1 = c * b1 - s * a1;
    a2 = c * b2 - s * a2;
    a3 = c * b3 - s * a3;
  }
  x[p] = a0;
  x[q] = a1;
  x[r] = a2;
  x[w] = a3;
}
