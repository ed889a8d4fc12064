/** Methods that move numbers and change none. */
import { type DType, sizeOf } from "../../tensor/array.ts";
import { ShapeError } from "../../tensor/errors.ts";
import { ANYTHING, COUNT, either, listOf, OBJECT, orNull, TEXT, WHOLE } from "../../tensor/kinds.ts";
import { checkArgument } from "../../tensor/options.ts";
import { type AxisRef, axisIndex, showShape } from "../axes.ts";
import { DTYPE } from "../leaf.ts";
import { Elementwise } from "./elementwise.ts";
import { needTensor } from "./expression.ts";

const TEXTS = listOf(TEXT, "strings");

/** A value whose axes can be named, ordered, split, merged, repeated, joined and cut. */
export abstract class Layout extends Elementwise {
  /** This value as a hook point of the given name. */
  point(label: string): this {
    checkArgument("The name of a hook point", label, TEXT);
    return this.applied("point", [this], { label });
  }
  /** The same numbers with other axis names, in order or by old name. */
  rename(axes: readonly string[] | Readonly<Record<string, string>>): this {
    checkArgument("What rename takes", axes, either(TEXTS, OBJECT));
    checkArgument("The new names of axes", Object.values(axes), TEXTS);
    const renamed = Array.isArray(axes)
      ? this.axes.map((a, i) => axes[i] ?? a)
      : this.axes.map((a) => (axes as Record<string, string>)[a] ?? a);
    return this.applied("point", [this], { axes: renamed });
  }
  /**
   * The same numbers, as constants for gradients: none goes back through them. Given another value of the same shape, the gradient
   * goes to that one instead: `step.detach(surrogate)` is a straight-through estimator.
   */
  detach(instead?: this): this {
    if (instead !== undefined) needTensor("detach", instead);
    return this.applied("detach", instead === undefined ? [this] : [this, instead]);
  }
  /** The axes in another order, each named once. */
  permute(perm: readonly AxisRef[]): this {
    checkArgument("What permute takes", perm, listOf(ANYTHING, "axes"));
    const order = perm.map((a) => axisIndex(this, a));
    if (new Set(order).size !== this.shape.length || order.length !== this.shape.length) {
      throw new ShapeError(`permute([${perm}]) must name each axis of ${showShape(this)} once.`, {
        asked: perm,
        found: this.axes,
      });
    }
    return this.applied("permute", [this], { perm: order.map((i) => i - order.length) });
  }
  /** Two axes swapped. */
  transpose(a: AxisRef = -2, b: AxisRef = -1): this {
    const [i, j] = [axisIndex(this, a), axisIndex(this, b)];
    return this.permute(this.shape.map((_, k) => (k === i ? j : k === j ? i : k)));
  }
  /** One axis into several: `x.splitAxis("d_model", { head: 8, d_head: 64 })`. One size may be -1. */
  splitAxis(axis: AxisRef, parts: Readonly<Record<string, number>>): this {
    checkArgument("What splitAxis makes of an axis", parts, OBJECT);
    for (const size of Object.values(parts)) checkArgument("A size of splitAxis", size, WHOLE);
    return this.applied("splitAxis", [this], {
      axis: this.fromEnd(axis),
      sizes: Object.values(parts),
      axes: Object.keys(parts),
    });
  }
  /** `count` neighbouring axes into one. */
  mergeAxes(axis: AxisRef, count: number, name = ""): this {
    checkArgument("The count of mergeAxes", count, COUNT);
    checkArgument("The name of an axis", name, TEXT);
    if (axisIndex(this, axis) + count > this.shape.length) {
      throw new ShapeError(`There are no ${count} axes to merge from axis ${axis} of ${showShape(this)} on.`);
    }
    if (count === 1) return this;
    return this.applied("mergeAxes", [this], { axis: this.fromEnd(axis), count, name });
  }
  /** The shape of `like`, which has `count` axes from `axis` on (counted from the end) where this has one. */
  reshapeLike(like: this, axis: number, count: number): this {
    needTensor("reshapeLike", like);
    checkArgument("The axis of reshapeLike", axis, WHOLE);
    checkArgument("The count of reshapeLike", count, COUNT);
    if (sizeOf(like.shape) !== sizeOf(this.shape)) {
      throw new ShapeError(`${showShape(this)} cannot be shaped like ${showShape(like)}, which has another size.`);
    }
    return this.applied("reshapeLike", [this, like], { axis, count });
  }
  /** A new axis of size 1 before axis `axis` (negative: counted from the end of the result). */
  unsqueeze(axis: number, name = ""): this {
    checkArgument("The axis of unsqueeze", axis, WHOLE);
    checkArgument("The name of an axis", name, TEXT);
    const fromEnd = axis < 0 ? axis : axis - this.shape.length - 1;
    if (fromEnd >= 0 || fromEnd < -this.shape.length - 1) {
      throw new ShapeError(`There is no place for a new axis at ${axis} of ${showShape(this)}.`, { asked: axis });
    }
    return this.applied("unsqueeze", [this], { axis: fromEnd, name });
  }
  /** Without an axis of size 1. */
  squeeze(axis: AxisRef): this {
    return this.applied("squeeze", [this], { axis: this.fromEnd(axis) });
  }
  /** Broadcast to the shape of `like`. */
  expandLike(like: this): this {
    needTensor("expandLike", like);
    return this.shape.length === like.shape.length && this.shape.every((n, i) => n === like.shape[i])
      ? this
      : this.applied("expandLike", [this, like]);
  }
  /** An axis of size 1 repeated. */
  repeat(axis: AxisRef, size: number): this {
    checkArgument("The size of repeat", size, COUNT);
    return this.applied("repeat", [this], { axis: this.fromEnd(axis), size });
  }
  /** This and x, one after the other along an axis. */
  concat(x: this, axis: AxisRef): this {
    return this.applied("concat", [this, x], { axis: this.fromEnd(axis) });
  }
  /** Elements `start` to `end` (exclusive); negative counts from the end. The bounds are part of the structure. */
  slice(axis: AxisRef, start: number, end: number | null = null): this {
    checkArgument("The start of slice", start, WHOLE);
    checkArgument("The end of slice", end, orNull(WHOLE));
    return this.applied("slice", [this], { axis: this.fromEnd(axis), start, end });
  }
  /** The numbers in another dtype. */
  cast(to: DType): this {
    checkArgument("The dtype of cast", to, DTYPE);
    return this.dtype === to ? this : this.applied("cast", [this], { to });
  }

  /** Neighbouring axes into one, all by default: from one axis to another, both included. */
  flatten(from: AxisRef = 0, to: AxisRef = -1, name = ""): this {
    if (this.shape.length === 0) return this.unsqueeze(0, name);
    const first = axisIndex(this, from);
    const count = axisIndex(this, to) - first + 1;
    if (count > 1) return this.mergeAxes(first, count, name);
    if (count === 1) return this;
    throw new ShapeError(`flatten from ${from} to ${to} of ${showShape(this)} ends before it starts.`, {
      asked: [from, to],
    });
  }
  /**
   * The same numbers in order with other axes: `x.reshape([2, -1])`, or with names, `x.reshape({ head: 8, d_head: -1 })`. One
   * size may be -1. The sizes are part of the compiled graph's structure; splitAxis and mergeAxes say more of an axis.
   */
  reshape(shape: readonly number[] | Readonly<Record<string, number>>): this {
    checkArgument("The shape of reshape", shape, either(listOf(WHOLE, "whole numbers"), OBJECT));
    const sizes = Object.values(shape);
    checkArgument("The shape of reshape", sizes, listOf(WHOLE, "whole numbers"));
    const known = sizeOf(sizes.filter((n) => n !== -1));
    const total = sizeOf(this.shape);
    const open = sizes.filter((n) => n < 0);
    const fits = open.length === 0 ? known === total : open.length === 1 && open[0] === -1 && total % known === 0;
    if (!fits) {
      throw new ShapeError(`${showShape(this)} has ${total} numbers, which cannot be shaped as [${sizes}].`, {
        asked: sizes,
        found: this.shape,
      });
    }
    const flat = this.flatten();
    if (sizes.length === 0) return flat.squeeze(0);
    const axes = Array.isArray(shape) ? sizes.map(() => "") : Object.keys(shape);
    return this.applied("splitAxis", [flat], { axis: -1, sizes, axes });
  }
}
