/** Yes or no for each element of a value, without the value: which of its elements something is true of. */
import { sizeOf, stridesOf } from "../../tensor/array.ts";

/** Yes or no for each element of a value; size 1 along an axis means the same all along it. */
export interface Marks {
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

/** More marks than this take longer to make than they save. */
const MOST_MARKS = 2 ** 20;

/** Thrown for more than that. */
export class TooManyMarks extends Error {}

/** No element, of a value of any shape. */
export const NOTHING: Marks = { shape: [], data: Uint8Array.of(0) };
/** Every element. */
export const EVERYTHING: Marks = { shape: [], data: Uint8Array.of(1) };

/** Marks with further axes in front. */
export function aligned({ shape, data }: Marks, rank: number): Marks {
  return { shape: [...new Array<number>(rank - shape.length).fill(1), ...shape], data };
}

/** Marks of a result from those of an input: its axes are the input's `axes`; along the input's other axes any mark counts. */
export function carry(marks: Marks, axes: readonly (number | null)[]): Marks {
  if (axes.length === marks.shape.length && axes.every((axis, i) => axis === i)) return marks;
  const kept = axes.map((axis) => (axis === null ? 1 : marks.shape[axis]));
  const data = new Uint8Array(sizeOf(needFew(kept)));
  const strides = stridesOf(kept);
  const steps = marks.shape.map((size, axis) => (size > 1 && axes.includes(axis) ? strides[axes.indexOf(axis)] : 0));
  const places = placesAlong(marks.shape, steps);
  for (let from = 0; from < places.length; from++) data[places[from]] |= marks.data[from];
  return { shape: kept, data };
}

/** Marks of the same rank, element by element. */
export function combine(all: readonly Marks[], f: (marks: readonly number[]) => number): Marks {
  const shape = all[0].shape.map((_, axis) => Math.max(...all.map((marks) => marks.shape[axis])));
  const data = new Uint8Array(sizeOf(needFew(shape)));
  const places = all.map((marks) => {
    if (marks.data.length === data.length) return undefined; // the same places
    const strides = stridesOf(marks.shape);
    return placesAlong(
      shape,
      strides.map((stride, axis) => (marks.shape[axis] === 1 ? 0 : stride)),
    );
  });
  const found = new Array<number>(all.length);
  for (let to = 0; to < data.length; to++) {
    for (let i = 0; i < found.length; i++) found[i] = all[i].data[places[i]?.[to] ?? to];
    data[to] = f(found);
  }
  return { shape, data };
}

/** Whether any of several is marked, element by element. */
export function either(all: readonly Marks[]): Marks {
  const distinct = all.filter((marks, i) => all.indexOf(marks) === i);
  return distinct.length === 1 ? distinct[0] : combine(distinct, (marks) => +marks.includes(1));
}

function needFew(shape: readonly number[]): readonly number[] {
  if (sizeOf(shape) > MOST_MARKS) throw new TooManyMarks();
  return shape;
}

/** For each place of a shape in order, where that is by other steps along the axes. */
function placesAlong(shape: readonly number[], steps: readonly number[]): Int32Array {
  let places = Int32Array.of(0);
  for (const [axis, size] of shape.entries()) {
    if (size === 1) continue;
    const next = new Int32Array(places.length * size);
    for (let i = 0; i < places.length; i++)
      for (let k = 0; k < size; k++) next[i * size + k] = places[i] + k * steps[axis];
    places = next;
  }
  return places;
}

/** The places in a value of this shape that are marked, over the first `count` axes, which are all that the marks vary along. */
export function markedRows(marks: Marks, shape: readonly number[], count: number): number[] {
  const lead = shape.slice(0, count);
  const strides = stridesOf(marks.shape);
  const places = placesAlong(
    lead,
    lead.map((_, axis) => (marks.shape[axis] === 1 ? 0 : strides[axis])),
  );
  return Array.from(places.keys()).filter((place) => marks.data[places[place]]);
}

/** The number of first axes that marks vary along. */
export function marksAlong({ shape }: Marks): number {
  return shape.findLastIndex((size) => size > 1) + 1;
}
