/** Folding one norm's weight and bias into the matrix that reads the norm's output. */

/** A [rows, cols] matrix inside a larger array. */
export interface MatrixView {
  readonly data: Float32Array;
  readonly offset: number;
  readonly rows: number;
  readonly cols: number;
}

/** What is folded: nothing of a norm that has no parameters. */
export interface NormParameters {
  readonly w?: Float32Array | undefined;
  readonly b?: Float32Array | undefined;
}

/**
 * Changes `matrix` W and `bias` c (one number per column, at `biasOffset`; needed if the norm has a `b`) so that with a parameterless norm the result is what
 * it was with the norm's `w` and `b`:
 *
 *     c[j] += sum_i W[i,j] b[i];   W[i,j] *= w[i];   and if centred, W[i,j] -= mean_i W[i,j]
 *
 * Centring changes nothing as long as the norm subtracts the mean, for then a constant down a column meets a vector that
 * sums to 0.
 */
export function foldNorm(
  matrix: MatrixView,
  norm: NormParameters,
  bias: Float32Array | undefined,
  biasOffset: number,
  center: boolean,
): void {
  const { data, offset, rows, cols } = matrix;
  const { w, b } = norm;
  if (b && bias) addProduct(matrix, b, bias, biasOffset);
  const mean = new Float64Array(cols);
  if (center) {
    for (let i = 0; i < rows; i++) {
      const scale = (w ? w[i] : 1) / rows;
      const row = offset + i * cols;
      for (let j = 0; j < cols; j++) mean[j] += data[row + j] * scale;
    }
  } else if (!w) {
    return;
  }
  for (let i = 0; i < rows; i++) {
    const scale = w ? w[i] : 1;
    const row = offset + i * cols;
    for (let j = 0; j < cols; j++) data[row + j] = data[row + j] * scale - mean[j];
  }
}

/** `out[j] += sum_i vector[i] W[i,j]`. */
export function addProduct(matrix: MatrixView, vector: Float32Array, out: Float32Array, outOffset: number): void {
  const { data, offset, rows, cols } = matrix;
  const sums = Float64Array.from(out.subarray(outOffset, outOffset + cols));
  for (let i = 0; i < rows; i++) {
    const factor = vector[i];
    const row = offset + i * cols;
    for (let j = 0; j < cols; j++) sums[j] += factor * data[row + j];
  }
  out.set(sums, outOffset);
}
