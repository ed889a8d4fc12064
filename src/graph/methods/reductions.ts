/** Methods that make one number of many: along an axis, several or all; and those that need such a number of each. */
import { sizeOf } from "../../tensor/array.ts";
import { ShapeError } from "../../tensor/errors.ts";
import { FLAG, type Kind, NUMBER } from "../../tensor/kinds.ts";
import { checkArgument } from "../../tensor/options.ts";
import { type AxisRef, axisIndex, showShape } from "../axes.ts";
import { needTensor } from "./expression.ts";
import { Layout } from "./layout.ts";

/** Axes by name or index: one, several, or all where there is nothing. */
export type AxesRef = AxisRef | readonly AxisRef[];

const ORDER: Kind = { accepts: (v) => typeof v === "number" && v > 0, describe: "a positive number or Infinity" };

/** A value with sums, means and extremes. */
export abstract class Reductions extends Layout {
  /** The sum over axes, or over all of them; `keepdims` keeps them with size 1. */
  sum(axis?: AxesRef, keepdims = false): this {
    return this.reduced("sum", axis, keepdims);
  }
  /** The mean over axes, or over all of them. */
  mean(axis?: AxesRef, keepdims = false): this {
    return this.reduced("mean", axis, keepdims);
  }
  /** The largest number along axes, or of all. */
  max(axis?: AxesRef, keepdims = false): this {
    return this.reduced("max", axis, keepdims);
  }
  /** The smallest number along axes, or of all. */
  min(axis?: AxesRef, keepdims = false): this {
    return this.reduced("min", axis, keepdims);
  }
  /** log(sum(exp(x))) in nats. */
  logSumExp(axis: AxesRef = -1, keepdims = false): this {
    return this.reduced("logSumExp", axis, keepdims);
  }
  /** The variance: the sum of squared differences from the mean over n - correction (1: Bessel's, as in PyTorch). */
  var(axis?: AxesRef, keepdims = false, correction = 1): this {
    checkArgument("The correction of var", correction, NUMBER);
    const difference = this.sub(this.mean(axis, true));
    return difference
      .mul(difference)
      .sum(axis, keepdims)
      .div(sizeOf(this.listed(axis).map((a) => this.shape[axisIndex(this, a)])) - correction);
  }
  /** The standard deviation: the square root of `var`. */
  std(axis?: AxesRef, keepdims = false, correction = 1): this {
    return rootOf(this.var(axis, keepdims, correction));
  }
  /** The norm (sum |x|^order)^(1/order), 2 by default: the square root of the sum of squares; of order Infinity the largest |x|. */
  norm(axis?: AxesRef, keepdims = false, order = 2): this {
    checkArgument("The order of norm", order, ORDER);
    if (order === 2) return rootOf(this.mul(this).sum(axis, keepdims));
    if (order === Infinity) return this.abs().max(axis, keepdims);
    if (order === 1) return this.abs().sum(axis, keepdims);
    return powerOf(powerOf(this.abs(), order).sum(axis, keepdims), 1 / order);
  }
  /** Running sums: each number and all before it along an axis. */
  cumsum(axis: AxisRef = -1, reverse = false): this {
    checkArgument("reverse of cumsum", reverse, FLAG);
    return this.applied("cumsum", [this], { axis: this.fromEnd(axis), reverse });
  }
  private listed(axis: AxesRef | undefined): readonly AxisRef[] {
    return axis === undefined ? this.shape.map((_, i) => i) : Array.isArray(axis) ? axis : [axis as AxisRef];
  }
  /** A reduction over axes, each named once. @throws ShapeError for an axis named twice */
  protected reduced(
    op: "sum" | "mean" | "max" | "min" | "logSumExp",
    axis: AxesRef | undefined,
    keepdims: boolean,
  ): this {
    const list = this.listed(axis);
    checkArgument(`keepdims of ${op}`, keepdims, FLAG);
    if (list.length === 0) return this;
    const axes = list.map((a) => this.fromEnd(a)).sort((a, b) => a - b);
    if (new Set(axes).size < axes.length) {
      throw new ShapeError(`${op} over [${list}] of ${showShape(this)} names an axis twice.`, { asked: list });
    }
    return this.applied(op, [this], { axes, keepdims });
  }
  /** Softmax along an axis, the last by default. */
  softmax(axis: AxisRef = -1): this {
    const last = this.shape.length - 1;
    const i = axisIndex(this, axis);
    if (i === last) return this.applied("softmax", [this]);
    return this.applied("softmax", [this.transpose(i, last)]).transpose(i, last);
  }
  /** log(softmax(x)) along an axis, in nats. */
  logSoftmax(axis: AxisRef = -1): this {
    return this.sub(this.logSumExp(axis, true));
  }
  /** Sums over what broadcasting repeated, down to the shape of `like`: the adjoint of broadcasting. */
  sumTo(like: this): this {
    needTensor("sumTo", like);
    const lead = this.shape.length - like.shape.length;
    const outer = this.sum(Array.from({ length: lead }, (_, i) => i));
    const inner = like.shape.map((_, i) => i).filter((i) => like.shape[i] === 1 && outer.shape[i] !== 1);
    const summed = outer.sum(inner, true);
    return summed.shape.every((n, i) => n === like.shape[i]) ? summed : summed.expandLike(like);
  }
}

/** The square root, with a gradient of 0 at 0, as that of a norm is there. */
function rootOf<V extends Reductions>(x: V): V {
  const isZero = x.equal(0);
  return x.constant(0).where(isZero, x.constant(1).where(isZero, x).sqrt());
}

/** A power of numbers from 0 on, with a gradient of 0 at 0, likewise. */
function powerOf<V extends Reductions>(x: V, exponent: number): V {
  const isZero = x.equal(0);
  return x.constant(0).where(isZero, x.constant(1).where(isZero, x).pow(exponent));
}
