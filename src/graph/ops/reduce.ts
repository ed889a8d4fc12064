/**
 * Reductions over axes, which count from the end (-1 is the last), as in all ops. `keepdims` leaves the reduced axes with
 * size 1; without it they are gone.
 */
import { type NDArray, sizeOf, stridesOf } from "../../tensor/array.ts";
import { ShapeError } from "../../tensor/errors.ts";
import { type Meta, showShape } from "../axes.ts";
import { float, strided } from "../kernels.ts";
import { type Along, type Emitter, type Op, type Operand, ordinary } from "../op.ts";
import type { Value } from "../value.ts";
import { onnxType } from "./cast.ts";
import { infiniteForNan, withoutNan } from "./not-finite.ts";
import { sameOnRows } from "./rows.ts";

type ReduceAttrs = {
  readonly axes: readonly number[];
  readonly keepdims: boolean;
};

/** @throws ShapeError for an axis of size 0: the runtime returns no number for it, though a sum would be 0 */
function inferReduce([x]: readonly Meta[], { axes, keepdims }: ReduceAttrs): Meta {
  const rank = x.shape.length;
  if (axes.some((axis) => x.shape.at(axis) === 0)) {
    throw new ShapeError(`${showShape(x)} cannot be reduced over an axis of size 0: there are no numbers on it.`, {
      asked: axes,
      found: x.shape,
    });
  }
  const kept = (_: unknown, i: number) => keepdims || !axes.includes(i - rank);
  return {
    dtype: x.dtype,
    shape: x.shape.map((n, i) => (axes.includes(i - rank) ? 1 : n)).filter(kept),
    axes: x.axes.filter(kept),
  };
}

function alongReduce(axis: number, [x]: readonly Meta[], { axes, keepdims }: ReduceAttrs): Along | undefined {
  const rank = x.shape.length;
  const input = keepdims ? axis : x.shape.map((_, i) => i).filter((i) => !axes.includes(i - rank))[axis];
  return axes.includes(input - rank) ? undefined : [input];
}

/** Calls `f` with each group of numbers that reduces to one. */
function groups(x: NDArray, axes: readonly number[], f: (group: Float64Array) => number): Float64Array<ArrayBuffer> {
  const strides = stridesOf(x.shape);
  const pick = (inside: boolean) =>
    x.shape.map((_, i) => i).filter((i) => axes.includes(i - x.shape.length) === inside);
  const starts = strided(
    pick(false).map((i) => x.shape[i]),
    pick(false).map((i) => strides[i]),
  );
  const steps = strided(
    pick(true).map((i) => x.shape[i]),
    pick(true).map((i) => strides[i]),
  );
  const group = new Float64Array(steps.length);
  return Float64Array.from(starts, (start) => {
    for (let i = 0; i < steps.length; i++) group[i] = x.data[start + steps[i]];
    return f(group);
  });
}

/** A result (or its gradient) with the reduced axes put back as size 1, so that it broadcasts against the input. */
function restored(t: Value, { axes, keepdims }: ReduceAttrs, input: Value): Value {
  if (keepdims) return t;
  const rank = input.shape.length;
  const inOrder = axes.map((axis) => axis + rank).sort((a, b) => a - b);
  return inOrder.reduce((r, i) => r.unsqueeze(i, input.axes[i]), t);
}

/** Reduce ops that take their axes as an input (ONNX opset 18). */
function emitReduce(opType: string) {
  return (emit: Emitter, [x]: readonly Operand[], { axes, keepdims }: ReduceAttrs) =>
    emit.node(opType, [x.name, emit.int64(axes)], { keepdims: +keepdims });
}

function reduce(opType: string, f: (group: Float64Array) => number, vjp: Op<ReduceAttrs>["vjp"]): Op<ReduceAttrs> {
  return {
    outputs: 1,
    infer: inferReduce,
    reference: ([x], { axes }, out) => float(out.shape, groups(x, axes, f)),
    onnx: emitReduce(opType),
    vjp,
    along: alongReduce,
    rows: sameOnRows,
    scratch: false,
    ...ordinary,
  };
}

const total = (group: Float64Array) => group.reduce((a, b) => a + b, 0);

export const sum = reduce("ReduceSum", total, (g, _out, [x], attrs) => [restored(g, attrs, x).expandLike(x)]);

export const mean = reduce(
  "ReduceMean",
  (group) => total(group) / group.length,
  (g, _out, [x], attrs) => [
    restored(g, attrs, x)
      .div(sizeOf(attrs.axes.map((axis) => x.shape.at(axis)!)))
      .expandLike(x),
  ],
);

/** The largest number, NaN where one is NaN; its gradient is shared evenly by all that equal it (PyTorch's `amax`). */
export const max = ofExtremum("ReduceMax", Math.max);

export const min = ofExtremum("ReduceMin", Math.min);

function ofExtremum(opType: string, f: (a: number, b: number) => number): Op<ReduceAttrs> {
  return {
    ...reduce(
      opType,
      (group) => group.reduce((a, b) => f(a, b)),
      (g, out, [x], attrs) => [extremum(g, out, x, attrs)],
    ),
    onnx(emit, [x], attrs) {
      const fast = () => emitReduce(opType)(emit, [x], attrs);
      // The runtime passes over NaN.
      const exact = () => {
        const flags = emit.node("Cast", [emit.node("IsNaN", [x.name])], { to: UINT8 });
        const some = emit.node("ReduceMax", [flags, emit.int64(attrs.axes)], { keepdims: +attrs.keepdims });
        return emit.node("Where", [emit.node("Cast", [some], { to: onnxType.bool }), emit.float(Number.NaN), fast()]);
      };
      return x.dtype === "float32" ? withoutNan(emit, x, "float32", { fast, exact }) : fast();
    },
    scratch: true,
  };
}

/** ONNX's number for bytes, which it reduces; truth values it does not. */
const UINT8 = 2;

function extremum(g: Value, out: Value, x: Value, attrs: ReduceAttrs): Value {
  const hit = x.equal(restored(out, attrs, x)).cast(x.dtype);
  return hit.mul(restored(g, attrs, x)).div(hit.sum(attrs.axes, true));
}

/** log(sum(exp(x))), in nats: infinite where the largest number is. */
export const logSumExp: Op<ReduceAttrs> = {
  outputs: 1,
  infer: inferReduce,
  reference: ([x], { axes }, out) =>
    float(
      out.shape,
      groups(x, axes, (group) => {
        const top = group.reduce((a, b) => Math.max(a, b));
        return Math.abs(top) === Infinity ? top : top + Math.log(group.reduce((a, b) => a + Math.exp(b - top), 0));
      }),
    ),
  onnx(emit, [x], { axes, keepdims }) {
    const at = emit.int64(axes);
    const top = emit.node("ReduceMax", [x.name, at], { keepdims: 1 });
    const shift = emit.node("Where", [emit.node("IsInf", [top]), emit.float(0), top]); // no Infinity less Infinity
    const shifted = emit.node("Exp", [emit.node("Sub", [x.name, shift])]);
    const logSum = emit.node("Log", [emit.node("ReduceSum", [shifted, at], { keepdims: 1 })]);
    const result = emit.node("Add", [logSum, shift]);
    // Of size 1, but for the runtime not always so where the result holds no numbers: a Squeeze would fail.
    return keepdims ? result : emit.node("ReduceSum", [result, at], { keepdims: 0 });
  },
  vjp: (g, out, [x], attrs) => [
    x
      .sub(restored(out, attrs, x))
      .exp()
      .mul(restored(g, attrs, x)),
  ],
  along: alongReduce,
  rows: sameOnRows,
  scratch: true,
  ...ordinary,
};

/** The index of the largest number along one axis, the first if several; NaN counts as infinite. That axis is gone. */
export const argmax: Op<{ readonly axis: number }> = {
  outputs: 1,
  infer: ([x], { axis }) => ({ ...inferReduce([x], { axes: [axis], keepdims: false }), dtype: "int32" }),
  reference([x], { axis }, out) {
    const at = groups(x, [axis], (group) => {
      const comparable = group.map((n) => (Number.isNaN(n) ? Infinity : n));
      return comparable.indexOf(comparable.reduce((a, b) => Math.max(a, b)));
    });
    return { dtype: "int32", shape: out.shape, data: Int32Array.from(at) };
  },
  onnx(emit, [x], { axis }) {
    const of = (value: string) => emit.node("ArgMax", [value], { axis, keepdims: 0 });
    const [fast, exact] = [() => of(x.name), () => of(infiniteForNan(emit, x.name))];
    const at = x.dtype === "float32" ? withoutNan(emit, x, "int64", { fast, exact }) : fast();
    return emit.node("Cast", [at], { to: onnxType.int32 });
  },
  vjp: () => [null],
  along: (axis, [x], attrs) => alongReduce(axis, [x], { axes: [attrs.axis], keepdims: false }),
  rows: sameOnRows,
  scratch: true,
  ...ordinary,
};
