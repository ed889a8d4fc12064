/**
 * What every method of a value rests on: applying an op to it and others, and making leaves that fit it. The methods stand in
 * the other files of this folder, an idea each and each a subclass of one before, and `Tensor` is the last.
 */
import type { DType, NDArray } from "../../tensor/array.ts";
import { ArgumentError } from "../../tensor/errors.ts";
import { shown } from "../../tensor/show.ts";
import { type AxisRef, axisIndex, type Meta } from "../axes.ts";
import { single } from "../leaf.ts";
import type { AttrsOf, OpName } from "../ops/index.ts";

/**
 * What a leaf is to a compiled graph. `weight`: a graph input that stays the same from run to run; `feed`: a graph
 * input that varies; `constant`: a number baked into the graph's structure.
 */
export type LeafRole = "weight" | "feed" | "constant";

/** Attributes as an argument: omitted if an op needs none. */
export type AttrsArgument<K extends OpName> =
  Record<string, never> extends AttrsOf<K> ? [attrs?: AttrsOf<K>] : [attrs: AttrsOf<K>];

/** What arithmetic accepts: values and numbers. A number is fed, so changing it needs no new compilation. */
export type Operand<V> = V | number;

/** A value, to its own methods. */
export abstract class Expression implements Meta {
  abstract readonly dtype: DType;
  abstract readonly shape: readonly number[];
  abstract readonly axes: readonly string[];
  abstract readonly array: NDArray | undefined;

  /** The first result of an op on values. @throws ShapeError, ArgumentError */
  protected abstract applied<K extends OpName>(op: K, inputs: readonly this[], ...attrs: AttrsArgument<K>): this;
  /** Numbers as a value. */
  protected abstract leaf(array: NDArray, axes?: readonly string[], role?: LeafRole): this;
  /** Another value that this one's op makes. */
  abstract result(output: number): this;
  /** A number baked into the graph: for what never changes. */
  abstract constant(value: number): this;

  /** @throws ArgumentError for anything but a value or a number */
  protected operand(x: Operand<this>): this {
    if (typeof x === "number") return this.leaf(single(this.dtype, x));
    if (x instanceof Expression) return x;
    throw new ArgumentError(`Arithmetic needs a tensor or a number, not ${shown(x)}.`, { asked: x });
  }

  /** An axis as ops count it: from the end. */
  protected fromEnd(axis: AxisRef): number {
    return axisIndex(this, axis) - this.shape.length;
  }
}

/** @throws ArgumentError for anything but a tensor */
export function needTensor(what: string, x: unknown): void {
  if (!(x instanceof Expression)) throw new ArgumentError(`${what} takes a tensor, not ${shown(x)}.`, { asked: x });
}

/** @throws ArgumentError for anything but a list of tensors */
export function needTensors(what: string, list: readonly Expression[]): void {
  if (Array.isArray(list) && list.every((x) => x instanceof Expression)) return;
  throw new ArgumentError(`${what} needs a list of tensors, not ${shown(list)}.`, { asked: list });
}
