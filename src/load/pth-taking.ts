/**
 * Takes a tensor's numbers from its storage while that is read in order, a piece at a time: neither the storage nor the
 * file is ever in memory as a whole. The result is in row-major order, whatever the strides were.
 */
import { sizeOf, stridesOf, type TypedData } from "../tensor/array.ts";
import { shown } from "../tensor/show.ts";
import { type FileDType, memoryFor } from "./dtypes.ts";
import type { PthTensor } from "./pth-tensor.ts";

/** One axis: its length, and the size of a step in the storage and in the result. */
interface Axis {
  readonly n: number;
  readonly from: number;
  readonly to: number;
}

export class Taking {
  /** The first and the last number of the storage that are taken; the last is before the first if there are none. */
  readonly first: number;
  readonly last: number;
  readonly #tensor: PthTensor;
  readonly #dtype: FileDType;
  readonly #name: string;
  readonly #out: TypedData;
  /** Whether axes overlap in the storage, so that one pass is not enough: then the whole span is kept, and taken at the end. */
  readonly #overlaps: boolean;
  readonly #outer: readonly Axis[];
  readonly #inner: Axis;
  readonly #index: number[];
  /** Where the next number is, in the storage and in the result; how many of the inner axis have been taken. */
  #from: number;
  #to = 0;
  #done = 0;

  /** @param name the tensor's, in an error */
  constructor(tensor: PthTensor, dtype: FileDType, name: string) {
    const { offset, shape, strides } = tensor;
    const size = sizeOf(shape);
    this.#tensor = tensor;
    this.#dtype = dtype;
    this.#name = name;
    this.first = offset;
    this.last = lastNumber(tensor);
    const axes = size === 0 ? undefined : axesInOrder(shape, strides);
    this.#overlaps = size > 0 && !axes;
    const span = this.last - this.first + 1;
    const used = axes ?? [{ n: size === 0 ? 0 : span, from: 1, to: 1 }];
    this.#outer = used.slice(0, -1);
    this.#inner = used[used.length - 1];
    this.#index = this.#outer.map(() => 0);
    this.#from = offset;
    this.#out = memoryFor(dtype, this.#overlaps ? span : size, `Tensor ${shown(name)}`);
  }

  /** Takes what is needed from a piece of the storage that starts at `begin`. Pieces come in order, without gaps. */
  take(numbers: TypedData, begin: number): void {
    const end = begin + numbers.length;
    const { n, from: step, to: stepOut } = this.#inner;
    const out = this.#out;
    while (this.#from < end && this.#done < n) {
      const count = Math.min(n - this.#done, Math.ceil((end - this.#from) / step));
      const at = this.#from - begin;
      if (step === 1 && stepOut === 1) out.set(numbers.subarray(at, at + count), this.#to);
      else for (let i = 0; i < count; i++) out[this.#to + i * stepOut] = numbers[at + i * step];
      this.#done += count;
      this.#from += count * step;
      this.#to += count * stepOut;
      if (this.#done === n) this.#nextRow();
    }
  }

  /** The tensor's numbers, once all pieces have been seen. */
  result(): TypedData {
    return this.#overlaps ? this.#gather() : this.#out;
  }

  #nextRow(): void {
    const { n, from, to } = this.#inner;
    this.#from -= n * from;
    this.#to -= n * to;
    for (let axis = this.#outer.length - 1; axis >= 0; axis--) {
      const outer = this.#outer[axis];
      this.#from += outer.from;
      this.#to += outer.to;
      if (++this.#index[axis] < outer.n) {
        this.#done = 0;
        return;
      }
      this.#from -= outer.n * outer.from;
      this.#to -= outer.n * outer.to;
      this.#index[axis] = 0;
    }
  }

  /** The numbers in row-major order from the span, which begins at the tensor's first. */
  #gather(): TypedData {
    const { shape, strides } = this.#tensor;
    const span = this.#out;
    const out = memoryFor(this.#dtype, sizeOf(shape), `Tensor ${shown(this.#name)}`);
    const lastAxis = shape.length - 1;
    const index = new Array<number>(shape.length).fill(0);
    let from = 0;
    for (let to = 0; to < out.length; ) {
      for (let i = 0; i < shape[lastAxis]; i++) out[to++] = span[from + i * strides[lastAxis]];
      for (let axis = lastAxis - 1; axis >= 0; axis--) {
        from += strides[axis];
        if (++index[axis] < shape[axis]) break;
        from -= strides[axis] * shape[axis];
        index[axis] = 0;
      }
    }
    return out;
  }
}

/** The last number of its storage that a tensor reads; -1 for an empty one. */
export function lastNumber({ offset, shape, strides }: PthTensor): number {
  return shape.includes(0) ? -1 : offset + shape.reduce((sum, n, axis) => sum + (n - 1) * strides[axis], 0);
}

/** Whether the numbers have the same order in the storage as in the result. An axis of size 1 may have any stride. */
export function isRowMajor({ shape, strides }: PthTensor): boolean {
  if (shape.includes(0)) return true;
  const expected = stridesOf(shape);
  return shape.every((n, axis) => n === 1 || strides[axis] === expected[axis]);
}

/**
 * The axes from the widest stride to the narrowest, so that one pass over them is one pass over the storage, with contiguous
 * axes merged. Undefined if they overlap (a stride of 0, a sliding window).
 */
function axesInOrder(shape: readonly number[], strides: readonly number[]): Axis[] | undefined {
  const steps = stridesOf(shape);
  const axes = shape
    .map((n, axis): Axis => ({ n, from: strides[axis], to: steps[axis] }))
    .filter(({ n }) => n > 1)
    .sort((a, b) => a.from - b.from);
  const merged: Axis[] = [];
  let reach = 0; // how far the axes up to here go
  for (const axis of axes) {
    if (axis.from <= reach) return undefined;
    const inner = merged.at(-1);
    if (inner && axis.from === inner.n * inner.from && axis.to === inner.n * inner.to) {
      merged[merged.length - 1] = { n: inner.n * axis.n, from: inner.from, to: inner.to };
    } else merged.push(axis);
    reach += (axis.n - 1) * axis.from;
  }
  return merged.length === 0 ? [{ n: 1, from: 1, to: 1 }] : merged.reverse();
}
