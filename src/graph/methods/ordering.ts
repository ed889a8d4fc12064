/** Methods that ask which numbers are larger. */
import { ndarray } from "../../tensor/array.ts";
import { FLAG } from "../../tensor/kinds.ts";
import { checkArgument } from "../../tensor/options.ts";
import { type AxisRef, axisIndex } from "../axes.ts";
import { Indexing } from "./indexing.ts";

/** Numbers in order, and where they were (int32). */
export interface Ordered<V> {
  readonly values: V;
  readonly indices: V;
}

/** A value whose numbers can be put in order along an axis. */
export abstract class Ordering extends Indexing {
  /** The index of the largest number, the first if several. NaN counts as infinite. */
  argmax(axis: AxisRef = -1): this {
    return this.applied("argmax", [this], { axis: this.fromEnd(axis) });
  }
  /** The index of the smallest number, the first if several. NaN counts as the smallest, as in PyTorch. */
  argmin(axis: AxisRef = -1): this {
    const turned = this.dtype === "int32" ? this.constant(-1).sub(this) : this.neg(); // -x of the least int32 is itself
    return turned.argmax(axis);
  }
  /**
   * The `k` largest numbers along an axis, the largest first and of equal ones the earlier, and their indices (int32): both
   * have `k` in place of the axis. NaN counts as infinite.
   */
  topK(k: number, axis: AxisRef = -1): Ordered<this> {
    const last = this.shape.length - 1;
    const i = axisIndex(this, axis);
    const ordered = (t: this) => (i === last ? t : t.transpose(i, last));
    const values = this.applied("topK", [ordered(this)], { k });
    return { values: ordered(values), indices: ordered(values.result(1)) };
  }
  /**
   * Which numbers are among the `k` largest along an axis: a condition, true `k` times along it, of equal numbers for the earlier.
   * NaN counts as infinite. No gradient goes through it.
   */
  isTopK(k: number, axis: AxisRef = -1): this {
    const last = this.shape.length - 1;
    const i = axisIndex(this, axis);
    const ordered = (t: this) => (i === last ? t : t.transpose(i, last));
    return ordered(this.applied("isTopK", [ordered(this)], { k }));
  }
  /**
   * All numbers along an axis, the smallest first unless `descending`, equal ones in the order that they had, and their indices
   * (int32) there. NaN counts as infinite. The size of the axis is part of the compiled graph's structure.
   */
  sort(axis: AxisRef = -1, descending = false): Ordered<this> {
    checkArgument("descending of sort", descending, FLAG);
    const i = axisIndex(this, axis);
    const size = this.shape[i];
    if (descending) return this.topK(size, i);
    // Backwards, so that of equal numbers the later comes first, and backwards again.
    const { values, indices } = this.backwards(i).topK(size, i);
    const there = indices.neg().add(size - 1);
    return { values: values.backwards(i), indices: there.backwards(i) };
  }
  /** The indices (int32) along an axis that put its numbers in order, as `sort` does. */
  argsort(axis: AxisRef = -1, descending = false): this {
    return this.sort(axis, descending).indices;
  }
  private backwards(axis: number): this {
    const size = this.shape[axis];
    const order = Int32Array.from({ length: size }, (_, i) => size - 1 - i);
    return this.gather(axis, this.leaf(ndarray("int32", [size], order)));
  }
}
