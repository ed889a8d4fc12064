/**
 * Converts what charts accept as numbers to plain arrays. A number that is not finite, or too large for a chart,
 * becomes `null`: a gap.
 */
import { type NDArray, sizeOf } from "../tensor/array.ts";
import { ArgumentError, ShapeError } from "../tensor/errors.ts";
import { shown } from "../tensor/show.ts";

type Flat = readonly (number | null)[] | Float32Array | Float64Array | Int32Array | Uint8Array;

/** One row of numbers: an array, a typed array, or an NDArray with one axis longer than 1. */
export type Vector = Flat | { readonly data: Flat; readonly shape: readonly number[] };

/** Rows of numbers: an array of rows, or an NDArray with two axes besides those of size 1. */
export type Matrix = readonly Flat[] | { readonly data: Flat; readonly shape: readonly number[] };

/** Numbers with any number of axes: nested arrays, or an NDArray. */
export type Numbers = Flat | readonly Numbers[] | { readonly data: Flat; readonly shape: readonly number[] };

/** Numbers in row-major order, with their shape. */
export interface Shaped {
  readonly data: (number | null)[];
  readonly shape: readonly number[];
}

/**
 * Nested arrays, or arrays of NDArrays, as one array with one shape.
 *
 * @throws ShapeError if neighbours differ in shape.
 */
export function toShaped(values: Numbers): Shaped {
  return shapedAt(values, 0);
}

/** The most axes that an array may have: anything deeper is not an array of numbers. */
const MOST_AXES = 12;

function shapedAt(values: Numbers, depth: number): Shaped {
  checkNumbers(values);
  if (depth > MOST_AXES) throw new ShapeError(`Numbers may have at most ${MOST_AXES} axes.`, { asked: MOST_AXES });
  if ("shape" in values) {
    if (sizeOf(values.shape) !== values.data.length) {
      throw new ShapeError(`An array of shape ${shown(values.shape)} cannot have ${values.data.length} numbers.`, {
        asked: values.shape,
        found: values.data.length,
      });
    }
    return { data: Array.from(values.data, finiteOrNull), shape: values.shape };
  }
  if (!Array.isArray(values)) return { data: Array.from(values as Flat, finiteOrNull), shape: [values.length] };
  if (values.every((v) => v === null || typeof v === "number")) {
    return { data: values.map(finiteOrNull), shape: [values.length] };
  }
  const parts = Array.from(values as readonly Numbers[], (part) => shapedAt(part, depth + 1));
  const odd = parts.findIndex((part) => String(part.shape) !== String(parts[0].shape));
  if (odd >= 0) {
    throw new ShapeError(
      `Expected arrays of one shape, but entry 0 has shape [${parts[0].shape}] and entry ${odd} has shape [${parts[odd].shape}].`,
      { asked: parts[0].shape, found: parts[odd].shape },
    );
  }
  return { data: parts.flatMap((part) => part.data), shape: [parts.length, ...parts[0].shape] };
}

/** The numbers without leading axes of size 1 (a batch of one) before the last `keep` axes. */
export function withoutUnitAxes({ data, shape }: Shaped, keep: number): Shaped {
  return { data, shape: shape.filter((size, axis) => size !== 1 || axis >= shape.length - keep) };
}

/** The matrices in the last two axes, in order. */
export function matricesOf({ data, shape }: Shaped): (number | null)[][][] {
  const [height, width] = shape.slice(-2);
  const rows = Array.from({ length: data.length / Math.max(1, width) }, (_, r) =>
    data.slice(r * width, (r + 1) * width),
  );
  return Array.from({ length: rows.length / Math.max(1, height) }, (_, m) => rows.slice(m * height, (m + 1) * height));
}

/** @throws ShapeError if the array has more than one axis that is not of size 1. */
export function toVector(values: Vector): (number | null)[] {
  checkNumbers(values);
  if (!("shape" in values)) return Array.from(values, finiteOrNull);
  const axes = values.shape.filter((size) => size !== 1);
  if (axes.length > 1) {
    throw new ShapeError(
      `Expected a row of numbers, but the array has shape [${values.shape}]. Select one row of it, or use imshow.`,
      { asked: 1, found: values.shape },
    );
  }
  return Array.from(values.data, finiteOrNull);
}

/** @throws ShapeError if there are not two axes, or the rows differ in length. */
export function toMatrix(values: Matrix): (number | null)[][] {
  checkNumbers(values);
  if (!("shape" in values)) for (const row of values) checkNumbers(row);
  const rows =
    "shape" in values ? rowsOf(values.data, values.shape) : values.map((row) => Array.from(row, finiteOrNull));
  const odd = rows.findIndex((row) => row.length !== rows[0].length);
  if (odd >= 0) {
    throw new ShapeError(
      `Expected a matrix, but row 0 has ${rows[0].length} numbers and row ${odd} has ${rows[odd].length}.`,
      { asked: rows[0].length, found: rows[odd].length },
    );
  }
  return rows;
}

function rowsOf(data: Flat, shape: readonly number[]): (number | null)[][] {
  const axes = shape.length <= 2 ? shape : shape.filter((size) => size !== 1);
  if (axes.length !== 2 || sizeOf(shape) !== data.length) {
    throw new ShapeError(
      `Expected a matrix, but the array has shape [${shape}]. Select two axes of it, such as one head's [query, key].`,
      { asked: 2, found: shape },
    );
  }
  const [height, width] = axes;
  return Array.from({ length: height }, (_, r) => Array.from(data.slice(r * width, (r + 1) * width), finiteOrNull));
}

/** @throws ArgumentError for anything but a list, a typed array or an NDArray with its numbers */
function checkNumbers(values: unknown): void {
  if (Array.isArray(values) || (ArrayBuffer.isView(values) && !(values instanceof DataView))) return;
  // An uncomputed Tensor throws its own error when its numbers are read.
  const { shape, data } = (typeof values === "object" && values !== null ? values : {}) as Partial<NDArray>;
  if (Array.isArray(shape) && (Array.isArray(data) || ArrayBuffer.isView(data))) return;
  throw new ArgumentError(`Numbers must be a list, a typed array, or a computed Tensor, not ${shown(values)}.`, {
    asked: values,
  });
}

/** The range in which differences and quotients stay finite, too: it includes all float32 numbers. */
const LARGEST = 1e300;
const SMALLEST = 1e-300;

/** Whether a chart can show it. */
export function inReach(value: unknown): boolean {
  return typeof value === "number" && Math.abs(value) >= SMALLEST && Math.abs(value) <= LARGEST;
}

function finiteOrNull(value: unknown): number | null {
  if (value !== null && typeof value !== "number") {
    throw new ArgumentError(`Expected a number, or null for a gap, not ${shown(value)}.`, {
      asked: value,
    });
  }
  if (value === null || inReach(value)) return value;
  return Math.abs(value) < SMALLEST ? 0 : null;
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
