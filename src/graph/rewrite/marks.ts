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
  alongRuns(marks.shape, steps, (from, to, count, step) => {
    for (let i = 0; i < count; i++) data[to + i * step] |= marks.data[from + i];
  });
  return { shape: kept, data };
}

/** Marks of the same rank, element by element: those of up to eight values, as one is to be marked by what is marked of each. */
export function combine(all: readonly Marks[], f: (marks: readonly number[]) => number): Marks {
  const { shape, data } = together(all, (i) => 1 << i);
  const marked = Uint8Array.from({ length: 1 << all.length }, (_, bits) => f(all.map((_, i) => (bits >> i) & 1)));
  for (let i = 0; i < data.length; i++) data[i] = marked[data[i]];
  return { shape, data };
}

/** Whether any of several is marked, element by element. */
export function either(all: readonly Marks[]): Marks {
  const distinct = all.filter((marks, i) => all.indexOf(marks) === i);
  return distinct.length === 1 ? distinct[0] : together(distinct, () => 1);
}

/** Element by element the bits of those that are marked. */
function together(all: readonly Marks[], bitOf: (i: number) => number): Marks {
  const shape = all[0].shape.map((_, axis) => Math.max(...all.map((marks) => marks.shape[axis])));
  const data = new Uint8Array(sizeOf(needFew(shape)));
  for (const [i, { shape: own, data: marks }] of all.entries()) {
    const bit = bitOf(i);
    alongRuns(shape, stepsOf(own), (to, from, count, step) => {
      for (let k = 0; k < count; k++) data[to + k] |= marks[from + k * step] * bit;
    });
  }
  return { shape, data };
}

function needFew(shape: readonly number[]): readonly number[] {
  if (sizeOf(shape) > MOST_MARKS) throw new TooManyMarks();
  return shape;
}

/** How far apart the elements of marks are, along each axis of what they are marks of. */
function stepsOf(shape: readonly number[]): readonly number[] {
  const strides = stridesOf(shape);
  return shape.map((size, axis) => (size === 1 ? 0 : strides[axis]));
}

/** Goes through the places of a shape, run by run, and says where each is by other steps along the axes: evenly apart, in a run. */
function alongRuns(
  shape: readonly number[],
  steps: readonly number[],
  visit: (place: number, other: number, count: number, step: number) => void,
): void {
  // Axes that go on where the next one ends are one with it.
  const axes: { size: number; readonly step: number }[] = [];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const inner = axes.at(-1);
    if (shape[axis] === 1) continue;
    if (inner && steps[axis] === inner.size * inner.step) inner.size *= shape[axis];
    else axes.push({ size: shape[axis], step: steps[axis] });
  }
  const [run = { size: 1, step: 0 }, ...outer] = axes;
  const at = new Int32Array(outer.length);
  const size = sizeOf(shape);
  for (let place = 0, other = 0; place < size; place += run.size) {
    visit(place, other, run.size, run.step);
    for (let k = 0; k < outer.length; k++) {
      other += outer[k].step;
      if (++at[k] < outer[k].size) break;
      other -= at[k] * outer[k].step;
      at[k] = 0;
    }
  }
}

/** The places in a value of this shape that are marked, over the first `count` axes, which are all that the marks vary along. */
export function markedRows({ shape: own, data }: Marks, shape: readonly number[], count: number): number[] {
  const places: number[] = [];
  alongRuns(shape.slice(0, count), stepsOf(own).slice(0, count), (place, from, run, step) => {
    for (let k = 0; k < run; k++) if (data[from + k * step]) places.push(place + k);
  });
  return places;
}

/** The number of first axes that marks vary along. */
export function marksAlong({ shape }: Marks): number {
  return shape.findLastIndex((size) => size > 1) + 1;
}

/** A number that marks of the same data share, and others mostly do not. */
export function digestOf(data: Uint8Array): number {
  let digest = 0;
  for (let i = 0; i < data.length; i++) digest = Math.imul(digest ^ data[i], 0x01000193) + 1;
  return digest;
}
