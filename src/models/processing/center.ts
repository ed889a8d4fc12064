/** Subtracting from each row of a row-major array of width `cols` that row's mean. */
export function centerRows(data: Float32Array, cols: number): void {
  for (let row = 0; row < data.length; row += cols) {
    let sum = 0;
    for (let j = 0; j < cols; j++) sum += data[row + j];
    const mean = sum / cols;
    for (let j = 0; j < cols; j++) data[row + j] -= mean;
  }
}
