/** Ops that move numbers and change none: order of axes, merging and splitting them, repeating, joining, cutting. */
import { type NDArray, sizeOf, stridesOf } from "../../tensor/array.ts";
import { ShapeError } from "../../tensor/errors.ts";
import { broadcast, showShape } from "../axes.ts";
import { around, float, offsets, strided } from "../kernels.ts";
import type { Op } from "../op.ts";
import { alongBroadcast } from "./elementwise.ts";

/** The elements of `x` at the given flat offsets. */
function take(x: NDArray, shape: readonly number[], at: Int32Array): NDArray {
  const size = at.length;
  if (x.dtype === "int32")
    return { dtype: "int32", shape, data: Int32Array.from({ length: size }, (_, i) => x.data[at[i]]) };
  if (x.dtype === "bool")
    return { dtype: "bool", shape, data: Uint8Array.from({ length: size }, (_, i) => x.data[at[i]]) };
  return float(
    shape,
    Float64Array.from({ length: size }, (_, i) => x.data[at[i]]),
  );
}

/** A hook point: the value itself, under a name. `axes` renames axes. It costs nothing: compiled graphs leave it out. */
export const point: Op<{ readonly label?: string; readonly axes?: readonly string[] }> = {
  infer: ([x], { axes }) => ({ ...x, axes: axes ?? x.axes }),
  reference: ([x]) => x,
  onnx: (_emit, [x]) => x.name,
  vjp: (g) => [g],
  along: (axis) => [axis],
  layout: true,
};

/** Axis `i` of the result is axis `perm[i]` of the input. */
export const permute: Op<{ readonly perm: readonly number[] }> = {
  infer: ([x], { perm }) => ({
    dtype: x.dtype,
    shape: perm.map((i) => x.shape[i]),
    axes: perm.map((i) => x.axes[i]),
  }),
  reference([x], { perm }, out) {
    const strides = stridesOf(x.shape);
    return take(
      x,
      out.shape,
      strided(
        out.shape,
        perm.map((i) => strides[i]),
      ),
    );
  },
  onnx: (emit, [x], { perm }) => emit.node("Transpose", [x.name], { perm }),
  vjp: (g, _out, _in, { perm }) => [g.permute(perm.map((_, i) => perm.indexOf(i)))],
  along: (axis, _in, { perm }) => [perm[axis]],
  layout: true,
};

/** One axis becomes several whose sizes multiply to its own; at most one size is -1, and is found. */
export const splitAxis: Op<{
  readonly axis: number;
  readonly sizes: readonly number[];
  readonly axes: readonly string[];
}> = {
  infer([x], { axis, sizes, axes }) {
    const known = sizeOf(sizes.filter((n) => n >= 0));
    const found = sizes.map((n) => (n < 0 ? x.shape[axis] / known : n));
    if (sizeOf(found) !== x.shape[axis] || !found.every(Number.isInteger)) {
      throw new ShapeError(`Axis ${x.axes[axis] || axis} of ${showShape(x)} cannot be split into [${sizes}].`, {
        asked: sizes,
        found: x.shape[axis],
      });
    }
    return {
      dtype: x.dtype,
      shape: x.shape.toSpliced(axis, 1, ...found),
      axes: x.axes.toSpliced(axis, 1, ...axes),
    };
  },
  reference: ([x], _attrs, out) => ({ ...x, shape: out.shape }),
  onnx(emit, [x], { axis, sizes }) {
    const before = new Array<number>(axis).fill(0); // 0 copies the input's size at the same place
    if (axis === x.rank - 1) return emit.node("Reshape", [x.name, emit.int64([...before, ...sizes])]);
    const after = emit.node("Shape", [x.name], { start: axis + 1 });
    const shape = emit.node("Concat", [emit.int64([...before, ...sizes]), after], { axis: 0 });
    return emit.node("Reshape", [x.name, shape]);
  },
  vjp: (g, _out, _in, { axis, sizes }) => [g.mergeAxes(axis, sizes.length)],
  along(axis, _in, { axis: split, sizes }) {
    if (axis < split) return [axis];
    return axis < split + sizes.length ? undefined : [axis - sizes.length + 1];
  },
  layout: true,
};

/** `count` neighbouring axes from `axis` on become one. */
export const mergeAxes: Op<{ readonly axis: number; readonly count: number; readonly name: string }> = {
  infer: ([x], { axis, count, name }) => ({
    dtype: x.dtype,
    shape: x.shape.toSpliced(axis, count, sizeOf(x.shape.slice(axis, axis + count))),
    axes: x.axes.toSpliced(axis, count, name),
  }),
  reference: ([x], _attrs, out) => ({ ...x, shape: out.shape }),
  onnx(emit, [x], { axis, count }) {
    const before = [...new Array<number>(axis).fill(0), -1];
    if (axis + count === x.rank) return emit.node("Reshape", [x.name, emit.int64(before)]);
    const after = emit.node("Shape", [x.name], { start: axis + count });
    return emit.node("Reshape", [x.name, emit.node("Concat", [emit.int64(before), after], { axis: 0 })]);
  },
  vjp: (g, _out, [x], { axis, count }) => [g.reshapeLike(x, axis, count)],
  along(axis, _in, { axis: merged, count }) {
    if (axis < merged) return [axis];
    return axis === merged ? undefined : [axis + count - 1];
  },
  layout: true,
};

/** Undoes `mergeAxes`: axis `axis` of the first input gets back the `count` axes that the second has there. */
export const reshapeLike: Op<{ readonly axis: number; readonly count: number }> = {
  infer: ([x, like], { axis, count }) => ({
    dtype: x.dtype,
    shape: x.shape.toSpliced(axis, 1, ...like.shape.slice(axis, axis + count)),
    axes: x.axes.toSpliced(axis, 1, ...like.axes.slice(axis, axis + count)),
  }),
  reference: ([x], _attrs, out) => ({ ...x, shape: out.shape }),
  onnx: (emit, [x, like]) => emit.node("Reshape", [x.name, emit.node("Shape", [like.name])]),
  vjp: (g, _out, _in, { axis, count }) => [g.mergeAxes(axis, count), null],
  along(axis, _in, { axis: split, count }) {
    if (axis < split) return [axis, axis];
    return axis < split + count ? undefined : [axis - count + 1, axis];
  },
  layout: true,
};

/** A new axis of size 1. */
export const unsqueeze: Op<{ readonly axis: number; readonly name: string }> = {
  infer: ([x], { axis, name }) => ({
    dtype: x.dtype,
    shape: x.shape.toSpliced(axis, 0, 1),
    axes: x.axes.toSpliced(axis, 0, name),
  }),
  reference: ([x], _attrs, out) => ({ ...x, shape: out.shape }),
  onnx: (emit, [x], { axis }) => emit.node("Unsqueeze", [x.name, emit.int64([axis])]),
  vjp: (g, _out, _in, { axis }) => [g.squeeze(axis)],
  along: (axis, _in, { axis: added }) => [axis === added ? null : axis < added ? axis : axis - 1],
  layout: true,
};

/** An axis of size 1 is dropped. */
export const squeeze: Op<{ readonly axis: number }> = {
  infer([x], { axis }) {
    if (x.shape[axis] !== 1) {
      throw new ShapeError(
        `Only an axis of size 1 can be squeezed; axis ${x.axes[axis] || axis} of ${showShape(x)} is ${x.shape[axis]}.`,
        { asked: axis, found: x.shape },
      );
    }
    return { dtype: x.dtype, shape: x.shape.toSpliced(axis, 1), axes: x.axes.toSpliced(axis, 1) };
  },
  reference: ([x], _attrs, out) => ({ ...x, shape: out.shape }),
  onnx: (emit, [x], { axis }) => emit.node("Squeeze", [x.name, emit.int64([axis])]),
  vjp: (g, _out, [x], { axis }) => [g.unsqueeze(axis, x.axes[axis])],
  along: (axis, _in, { axis: dropped }) => [axis < dropped ? axis : axis + 1],
  layout: true,
};

/** Repeats the first input to the broadcast shape of both; of the second only the shape matters. */
export const expandLike: Op = {
  infer: ([x, like]) => ({ dtype: x.dtype, ...broadcast("expandLike", [x, like]) }),
  reference: ([x], _attrs, out) => take(x, out.shape, offsets(x, out.shape)),
  onnx: (emit, [x, like]) => emit.node("Expand", [x.name, emit.node("Shape", [like.name])]),
  vjp: (g, _out, [x]) => [g.sumTo(x), null],
  along: alongBroadcast,
};

/** Repeats an axis of size 1 `size` times. */
export const repeat: Op<{ readonly axis: number; readonly size: number }> = {
  infer([x], { axis, size }) {
    if (x.shape[axis] !== 1) {
      throw new ShapeError(
        `Only an axis of size 1 can be repeated; axis ${x.axes[axis] || axis} of ${showShape(x)} is ${x.shape[axis]}.`,
        { asked: axis, found: x.shape },
      );
    }
    return { ...x, shape: x.shape.with(axis, size) };
  },
  reference: ([x], _attrs, out) => take(x, out.shape, offsets(x, out.shape)),
  onnx: (emit, [x], { axis, size }) =>
    emit.node("Expand", [x.name, emit.int64(new Array<number>(x.rank).fill(1).with(axis, size))]),
  vjp: (g, _out, _in, { axis }) => [g.sum(axis, true)],
  along: (axis, _in, { axis: repeated }) => [axis === repeated ? null : axis],
  layout: true,
};

/** Inputs one after the other along an axis. */
export const concat: Op<{ readonly axis: number }> = {
  infer(inputs, { axis }) {
    const [first, ...rest] = inputs;
    for (const x of rest) {
      if (x.shape.length !== first.shape.length || x.shape.some((n, i) => i !== axis && n !== first.shape[i])) {
        throw new ShapeError(
          `concat along axis ${first.axes[axis] || axis} needs equal sizes on all other axes, but got ${inputs.map(showShape).join(" and ")}.`,
          { asked: axis, found: inputs.map((m) => m.shape) },
        );
      }
    }
    return {
      ...first,
      shape: first.shape.with(
        axis,
        inputs.reduce((n, x) => n + x.shape[axis], 0),
      ),
    };
  },
  reference(inputs, { axis }, out) {
    const result = take(inputs[0], out.shape, new Int32Array(sizeOf(out.shape)));
    const { outer, size, inner } = around(out.shape, axis);
    let start = 0;
    for (const x of inputs) {
      const block = x.shape[axis] * inner;
      for (let o = 0; o < outer; o++) {
        for (let i = 0; i < block; i++) result.data[o * size * inner + start + i] = x.data[o * block + i];
      }
      start += block;
    }
    return result;
  },
  onnx: (emit, inputs, { axis }) =>
    emit.node(
      "Concat",
      inputs.map((x) => x.name),
      { axis },
    ),
  vjp(g, _out, inputs, { axis }) {
    let start = 0;
    return inputs.map((x) => {
      const part = g.slice(axis, start, start + x.shape[axis]);
      start += x.shape[axis];
      return part;
    });
  },
  along: (axis, inputs, { axis: joined }) => (axis === joined ? undefined : inputs.map(() => axis)),
  layout: true,
};

/**
 * Elements `start` to `end` (exclusive) of an axis; a negative number counts from the end, `null` is the end itself.
 * The bounds belong to the graph's structure: for a cut that varies from run to run, gather by a fed index.
 */
export const slice: Op<{ readonly axis: number; readonly start: number; readonly end: number | null }> = {
  infer([x], attrs) {
    const { axis } = attrs;
    const [start, end] = bounds(x.shape[axis], attrs);
    if (!(start >= 0 && start < end && end <= x.shape[axis])) {
      throw new ShapeError(
        `Slice ${attrs.start} to ${attrs.end ?? "the end"} of axis ${x.axes[axis] || axis} of ${showShape(x)} is empty or outside it.`,
        { asked: [attrs.start, attrs.end], found: x.shape[axis] },
      );
    }
    return { ...x, shape: x.shape.with(axis, end - start) };
  },
  reference([x], attrs, out) {
    const strides = stridesOf(x.shape);
    const [start] = bounds(x.shape[attrs.axis], attrs);
    return take(
      x,
      out.shape,
      strided(out.shape, strides).map((i) => i + start * strides[attrs.axis]),
    );
  },
  onnx: (emit, [x], { axis, start, end }) =>
    emit.node("Slice", [x.name, emit.int64([start]), emit.int64([end ?? 2 ** 31]), emit.int64([axis])]),
  vjp(g, _out, [x], { axis, start, end }) {
    // The rest of the axis did not matter: zeros before and after.
    const zeros = x.mul(x.constant(0));
    const before = start === 0 ? [] : [zeros.slice(axis, 0, start)];
    const after = end === null || end === x.shape[axis] ? [] : [zeros.slice(axis, end, null)];
    return [[...before, g, ...after].reduce((joined, part) => joined.concat(part, axis))];
  },
  along: (axis, _in, { axis: cut }) => (axis === cut ? undefined : [axis]),
  layout: true,
};

function bounds(size: number, { start, end }: { start: number; end: number | null }): [number, number] {
  const from = (n: number) => (n < 0 ? n + size : n);
  return [from(start), end === null ? size : from(end)];
}
