/** Sparse square matrices, row by row: memory in proportion to the entries that are not 0. */

/** A matrix [target source], of which only entries that are not 0 are stored, row by row, each row's in the order of its columns. */
export interface SparseMatrix {
  /** How many rows there are, and how many columns. */
  readonly size: number;
  /** Where each row's entries start, and where the last row's end: `size + 1` numbers. */
  readonly starts: Uint32Array;
  /** The column of each entry. */
  readonly columns: Uint32Array;
  /** The value of each entry. */
  readonly values: Float32Array;
}

/** A row: the columns of its entries, rising, and their values. */
export interface SparseRow {
  readonly columns: ArrayLike<number>;
  readonly values: ArrayLike<number>;
}

/** A matrix of rows, of which those without entries may be `undefined`. */
export function sparseMatrix(size: number, row: (i: number) => SparseRow | undefined): SparseMatrix {
  const rows = Array.from({ length: size }, (_, i) => row(i));
  const starts = new Uint32Array(size + 1);
  rows.forEach((one, i) => {
    starts[i + 1] = starts[i] + (one?.columns.length ?? 0);
  });
  const columns = new Uint32Array(starts[size]);
  const values = new Float32Array(starts[size]);
  rows.forEach((one, i) => {
    if (!one) return;
    columns.set(one.columns, starts[i]);
    values.set(one.values, starts[i]);
  });
  return { size, starts, columns, values };
}

/** A row of numbers without its zeros. */
export function withoutZeros(row: ArrayLike<number>): SparseRow {
  let count = 0;
  for (let i = 0; i < row.length; i++) if (row[i] !== 0) count++;
  const [columns, values] = [new Uint32Array(count), new Float32Array(count)];
  let at = 0;
  for (let i = 0; i < row.length; i++) {
    if (row[i] === 0) continue;
    columns[at] = i;
    values[at++] = row[i];
  }
  return { columns, values };
}

/** Calls `f` with each entry: its row, its column, its value, and its place among all entries. */
export function eachEntry(
  { size, starts, columns, values }: SparseMatrix,
  f: (row: number, column: number, value: number, place: number) => void,
): void {
  for (let row = 0; row < size; row++) {
    for (let at = starts[row]; at < starts[row + 1]; at++) f(row, columns[at], values[at], at);
  }
}

/** A row's entries by column. */
export function rowAt({ starts, columns, values }: SparseMatrix, row: number): Map<number, number> {
  const entries = new Map<number, number>();
  for (let at = starts[row]; at < starts[row + 1]; at++) entries.set(columns[at], values[at]);
  return entries;
}

/** The matrix without the entries at places where `kept` is 0. */
export function onlyEntries(matrix: SparseMatrix, kept: Uint8Array): SparseMatrix {
  const { size, starts, columns, values } = matrix;
  return sparseMatrix(size, (row) => {
    const places: number[] = [];
    for (let at = starts[row]; at < starts[row + 1]; at++) if (kept[at]) places.push(at);
    return { columns: places.map((at) => columns[at]), values: places.map((at) => values[at]) };
  });
}

/** Whether a value is a sparse matrix of a size, and its places are within it. */
export function isSparseMatrix(value: unknown, size: number): value is SparseMatrix {
  if (typeof value !== "object" || value === null) return false;
  const { size: rows, starts, columns, values } = value as Partial<SparseMatrix>;
  return (
    rows === size &&
    starts instanceof Uint32Array &&
    columns instanceof Uint32Array &&
    values instanceof Float32Array &&
    starts.length === size + 1 &&
    starts.every((start, i) => start >= (starts[i - 1] ?? 0)) &&
    [columns.length, values.length].every((count) => count === starts[size]) &&
    columns.every((column) => column < size)
  );
}
