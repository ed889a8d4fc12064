/** Keeping some of a value's elements along one axis. */
import { type AxisRange, elementsBetween } from "../graph/places.ts";
import { Tensor } from "../graph/tensor.ts";
import { emptyData, type NDArray, ndarray, sizeOf } from "../tensor/array.ts";
import { ArgumentError, ShapeError } from "../tensor/errors.ts";
import { shown } from "../tensor/show.ts";

/** One index, a list, or from `start` (inclusive) to `end` (exclusive). Negative numbers count from the end. */
export type AxisSlice = number | readonly number[] | AxisRange;

/** The indices that a slice of an axis means. @throws ShapeError for one outside it, ArgumentError if there are none. */
export function indicesOf(slice: AxisSlice, size: number, axis: string): number[] {
  checkSlice(slice, axis);
  const list = typeof slice === "number" ? [slice] : isList(slice) ? Array.from(slice) : elementsBetween(slice, size);
  const indices = list.map((i) => (Number.isInteger(i) && i < 0 ? i + size : i));
  const outside = list.find((_, k) => !(Number.isInteger(indices[k]) && indices[k] >= 0 && indices[k] < size));
  if (outside !== undefined) {
    throw new ShapeError(`Index ${shown(outside)} is outside axis ${axis}, which has ${size} elements.`, {
      asked: outside,
      found: size,
    });
  }
  if (indices.length === 0) {
    throw new ArgumentError(`${shown(slice)} selects nothing from axis ${axis}, which has ${size} elements.`, {
      asked: slice,
      found: size,
    });
  }
  return indices;
}

/** @throws ArgumentError for anything but a slice */
function checkSlice(slice: unknown, axis: string): void {
  if (typeof slice === "number" || Array.isArray(slice)) return;
  const { start, end, ...others } = (typeof slice === "object" && slice !== null ? slice : { none: slice }) as Record<
    string,
    unknown
  >;
  const whole = [start, end].every((at) => at === undefined || Number.isSafeInteger(at));
  if (whole && Object.keys(others).length === 0) return;
  throw new ArgumentError(
    `The slice of axis ${axis} must be an index, a list of indices, or { start, end }, not ${shown(slice)}.`,
    { asked: slice },
  );
}

function isList(slice: AxisSlice): slice is readonly number[] {
  return Array.isArray(slice);
}

/**
 * The elements along an axis that a slice selects: one index drops the axis, a list or a range keeps it. Computed values
 * stay computed, and share memory if the elements are neighbours.
 */
export function cutAxis(value: Tensor, axis: string, slice: AxisSlice): Tensor {
  const at = value.axes.indexOf(axis);
  const indices = indicesOf(slice, value.shape[at], axis);
  const drop = typeof slice === "number";
  if (!value.array) return value.at({ [axis]: drop ? indices[0] : indices });
  const shape = drop ? value.shape.toSpliced(at, 1) : value.shape.with(at, indices.length);
  const axes = drop ? value.axes.toSpliced(at, 1) : value.axes;
  return Tensor.leaf(ndarray(value.dtype, shape, taken(value.array, at, indices)), axes);
}

function taken({ dtype, data, shape }: NDArray, axis: number, indices: readonly number[]) {
  const size = shape[axis];
  const [outer, inner] = [sizeOf(shape.slice(0, axis)), sizeOf(shape.slice(axis + 1))];
  const first = indices[0];
  if (outer === 1 && indices.every((i, k) => i === first + k)) {
    return data.subarray(first * inner, (first + indices.length) * inner);
  }
  const out = emptyData(dtype, outer * indices.length * inner);
  for (let o = 0, at = 0; o < outer; o++) {
    for (const i of indices) {
      const from = (o * size + i) * inner;
      out.set(data.subarray(from, from + inner) as never, at);
      at += inner;
    }
  }
  return out;
}
