/**
 * Reductions over axes, which count from the end (-1 is the last), as in all ops. `keepdims` leaves the reduced axes with
 * size 1; without it they are gone.
 */
import { type NDArray, sizeOf, stridesOf } from "../../tensor/array.ts";
import type { Meta } from "../axes.ts";
import { float, strided } from "../kernels.ts";
import type { Emitter, Op, Operand } from "../op.ts";
import type { Tensor } from "../tensor.ts";

export interface ReduceAttrs {
  readonly axes: readonly number[];
  readonly keepdims: boolean;
}

function inferReduce([x]: readonly Meta[], { axes, keepdims }: ReduceAttrs): Meta {
  const rank = x.shape.length;
  const kept = (_: unknown, i: number) => keepdims || !axes.includes(i - rank);
  return {
    dtype: x.dtype,
    shape: x.shape.map((n, i) => (axes.includes(i - rank) ? 1 : n)).filter(kept),
    axes: x.axes.filter(kept),
  };
}

function alongReduce(
  axis: number,
  [x]: readonly Meta[],
  { axes, keepdims }: ReduceAttrs,
): readonly (number | null)[] | undefined {
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
function restored(t: Tensor, { axes, keepdims }: ReduceAttrs, input: Tensor): Tensor {
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
    infer: inferReduce,
    reference: ([x], { axes }, out) => float(out.shape, groups(x, axes, f)),
    onnx: emitReduce(opType),
    vjp,
    along: alongReduce,
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

/** The largest number; its gradient is shared evenly by all that equal it (PyTorch's `amax`). */
export const max = reduce(
  "ReduceMax",
  (group) => group.reduce((a, b) => Math.max(a, b)),
  (g, out, [x], attrs) => [extremum(g, out, x, attrs)],
);

export const min = reduce(
  "ReduceMin",
  (group) => group.reduce((a, b) => Math.min(a, b)),
  (g, out, [x], attrs) => [extremum(g, out, x, attrs)],
);

function extremum(g: Tensor, out: Tensor, x: Tensor, attrs: ReduceAttrs): Tensor {
  const hit = x.equal(restored(out, attrs, x)).cast(x.dtype);
  return hit.mul(restored(g, attrs, x)).div(hit.sum(attrs.axes, true));
}

/** log(sum(exp(x))), in nats. */
export const logSumExp: Op<ReduceAttrs> = {
  infer: inferReduce,
  reference: ([x], { axes }, out) =>
    float(
      out.shape,
      groups(x, axes, (group) => {
        const top = group.reduce((a, b) => Math.max(a, b));
        return top === -Infinity ? top : top + Math.log(group.reduce((a, b) => a + Math.exp(b - top), 0));
      }),
    ),
  onnx(emit, [x], { axes, keepdims }) {
    const at = emit.int64(axes);
    const top = emit.node("ReduceMax", [x.name, at], { keepdims: 1 });
    const shifted = emit.node("Exp", [emit.node("Sub", [x.name, top])]);
    const logSum = emit.node("Log", [emit.node("ReduceSum", [shifted, at], { keepdims: 1 })]);
    const result = emit.node("Add", [logSum, top]);
    return keepdims ? result : emit.node("Squeeze", [result, at]);
  },
  vjp: (g, out, [x], attrs) => [
    x
      .sub(restored(out, attrs, x))
      .exp()
      .mul(restored(g, attrs, x)),
  ],
  along: alongReduce,
  scratch: true,
};

/** The index of the largest number along one axis, the first if several; that axis is gone. */
export const argmax: Op<{ readonly axis: number }> = {
  infer: ([x], { axis }) => ({ ...inferReduce([x], { axes: [axis], keepdims: false }), dtype: "int32" }),
  reference([x], { axis }, out) {
    const at = groups(x, [axis], (group) => group.indexOf(group.reduce((a, b) => Math.max(a, b))));
    return { dtype: "int32", shape: out.shape, data: Int32Array.from(at) };
  },
  onnx: (emit, [x], { axis }) => emit.node("Cast", [emit.node("ArgMax", [x.name], { axis, keepdims: 0 })], { to: 6 }),
  vjp: () => [null],
  along: (axis, [x], attrs) => alongReduce(axis, [x], { axes: [attrs.axis], keepdims: false }),
};
