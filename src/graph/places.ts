/** Where in a value's numbers its elements are, from a caller's indices: checked, counted from the end if negative. */
import type { TypedData } from "../tensor/array.ts";
import { ArgumentError, ShapeError } from "../tensor/errors.ts";
import { listOf, WHOLE } from "../tensor/kinds.ts";
import { checkArgument } from "../tensor/options.ts";
import { shown } from "../tensor/show.ts";
import { type Meta, showShape } from "./axes.ts";

const COORDINATES = listOf(WHOLE, "whole numbers, one whole number, { start, end }, or an int32 tensor");

/** From `start` (inclusive, default: the first) to `end` (exclusive, default: after the last). Negative numbers count from the end. */
export interface AxisRange {
  readonly start?: number | undefined;
  readonly end?: number | undefined;
}

/** The place of the element at one index an axis, last axis fastest. @throws ShapeError */
export function placeOf(meta: Meta, index: readonly number[]): number {
  const { shape, axes } = meta;
  const asked = () => `get(${shown(index).slice(1, -1)})`;
  if (index.length !== shape.length) {
    throw new ShapeError(`${asked()} needs one index for each axis of ${showShape(meta)}.`, {
      asked: index,
      found: shape,
    });
  }
  let at = 0;
  index.forEach((i, axis) => {
    const k = within(i, shape[axis]);
    if (k === undefined) {
      throw new ShapeError(`${asked()} is outside ${showShape(meta)} on axis ${axes[axis] || axis}.`, {
        asked: index,
        found: shape,
      });
    }
    at = at * shape[axis] + k;
  });
  return at;
}

/** Which of the first axis' rows is meant. @throws ShapeError */
export function rowOf(meta: Meta, i: number): number {
  const k = within(i, meta.shape[0]);
  if (k !== undefined) return k;
  throw new ShapeError(`row(${shown(i)}) is outside ${showShape(meta)}.`, { asked: i, found: meta.shape });
}

/** Which elements of an axis are meant. @throws ShapeError, ArgumentError for anything but whole numbers, or a range of none */
export function elementsOf(
  meta: Meta,
  axis: number,
  coordinate: number | readonly number[] | AxisRange,
): Int32Array<ArrayBuffer> {
  if (isRange(coordinate)) return Int32Array.from(rangeOf(meta, axis, coordinate));
  const list = typeof coordinate === "number" ? [coordinate] : coordinate;
  checkArgument("A coordinate", list, COORDINATES);
  const size = meta.shape[axis];
  return Int32Array.from(list, (i) => {
    const k = within(i, size);
    if (k !== undefined) return k;
    throw new ShapeError(`Index ${i} is outside axis ${meta.axes[axis] || axis} of ${showShape(meta)}.`, {
      asked: i,
      found: size,
    });
  });
}

function within(i: number, size: number): number | undefined {
  const k = typeof i === "number" && i < 0 ? i + size : i;
  return Number.isInteger(k) && k >= 0 && k < size ? k : undefined;
}

/** Whether it is { start, end }, or one of them. */
function isRange(x: unknown): x is AxisRange {
  if (typeof x !== "object" || x === null || Array.isArray(x)) return false;
  const { start, end, ...others } = x as Readonly<Record<string, unknown>>;
  return Object.keys(others).length === 0 && [start, end].every((at) => at === undefined || Number.isSafeInteger(at));
}

function rangeOf(meta: Meta, axis: number, range: AxisRange): number[] {
  const elements = elementsBetween(range, meta.shape[axis]);
  if (elements.length > 0) return elements;
  throw new ArgumentError(
    `${shown(range)} selects nothing from axis ${meta.axes[axis] || axis} of ${showShape(meta)}.`,
    {
      asked: range,
      found: meta.shape[axis],
    },
  );
}

/** The elements from start to before end, as far as an axis of this size has them. */
export function elementsBetween({ start = 0, end }: AxisRange, size: number): number[] {
  const from = Math.max(start < 0 ? start + size : start, 0);
  const to = end === undefined ? size : Math.min(end < 0 ? end + size : end, size);
  return Array.from({ length: Math.max(to - from, 0) }, (_, i) => from + i);
}

/** Numbers as nested lists of the given shape; without axes, the number. */
export function nested(shape: readonly number[], data: TypedData): unknown {
  const build = (axis: number, start: number, size: number): unknown => {
    if (axis === shape.length) return data[start];
    const step = size / shape[axis];
    return Array.from({ length: shape[axis] }, (_, i) => build(axis + 1, start + i * step, step));
  };
  return build(0, 0, data.length);
}
