/** What the charts take as numbers, brought to plain arrays. A number that is not finite becomes `null`: a gap. */
import { sizeOf } from "../tensor/array.ts";
import { ShapeError } from "../tensor/errors.ts";

type Flat = readonly (number | null)[] | Float32Array | Float64Array | Int32Array | Uint8Array;

/** One row of numbers: an array, a typed array, or an NDArray with one axis longer than 1. */
export type Vector = Flat | { readonly data: Flat; readonly shape: readonly number[] };

/** Rows of numbers: an array of rows, or an NDArray with two axes besides those of size 1. */
export type Matrix = readonly Flat[] | { readonly data: Flat; readonly shape: readonly number[] };

/** @throws ShapeError if the array has more than one axis that is not of size 1. */
export function toVector(values: Vector): (number | null)[] {
  if (!("shape" in values)) return Array.from(values, finiteOrNull);
  const axes = values.shape.filter((size) => size !== 1);
  if (axes.length > 1) {
    throw new ShapeError(
      `A row of numbers was asked for, but the array has shape [${values.shape}]. Select one row of it, or use imshow.`,
      { asked: 1, found: values.shape },
    );
  }
  return Array.from(values.data, finiteOrNull);
}

/** @throws ShapeError if there are not two axes, or the rows differ in length. */
export function toMatrix(values: Matrix): (number | null)[][] {
  const rows =
    "shape" in values ? rowsOf(values.data, values.shape) : values.map((row) => Array.from(row, finiteOrNull));
  const odd = rows.findIndex((row) => row.length !== rows[0].length);
  if (odd >= 0) {
    throw new ShapeError(
      `A matrix was asked for, but row 0 has ${rows[0].length} numbers and row ${odd} has ${rows[odd].length}.`,
      { asked: rows[0].length, found: rows[odd].length },
    );
  }
  return rows;
}

function rowsOf(data: Flat, shape: readonly number[]): (number | null)[][] {
  const axes = shape.length <= 2 ? shape : shape.filter((size) => size !== 1);
  if (axes.length !== 2 || sizeOf(shape) !== data.length) {
    throw new ShapeError(
      `A matrix was asked for, but the array has shape [${shape}]. Select two axes of it, such as one head's [query, key].`,
      { asked: 2, found: shape },
    );
  }
  const [height, width] = axes;
  return Array.from({ length: height }, (_, r) => Array.from(data.slice(r * width, (r + 1) * width), finiteOrNull));
}

function finiteOrNull(value: number | null): number | null {
  return value !== null && Number.isFinite(value) ? value : null;
}

/** Smallest and largest number, or undefined without any. A loop: a spread would overflow the stack on big arrays. */
export function extent(values: Iterable<number | null>): [number, number] | undefined {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const v of values) {
    if (v === null) continue;
    if (v < low) low = v;
    if (v > high) high = v;
  }
  return low <= high ? [low, high] : undefined;
}
