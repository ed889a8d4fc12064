/**
 * Ops that move numbers and change none: order of axes, merging and splitting them, repeating, joining, cutting. Axes
 * count from the end (-1 is the last), so that an op means the same when a sweep puts further axes in front.
 */
import { type NDArray, sizeOf, stridesOf } from "../../tensor/array.ts";
import { ShapeError } from "../../tensor/errors.ts";
import { broadcast, type Meta, showShape } from "../axes.ts";
import { around, float, offsets, strided } from "../kernels.ts";
import { type NoAttrs, no, type Op, ordinary } from "../op.ts";
import { alongBroadcast } from "./elementwise.ts";
import { rowsWhere, sameOnRows } from "./rows.ts";

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
  outputs: 1,
  infer: ([x], { axes }) => ({
    dtype: x.dtype,
    shape: x.shape,
    axes: axes ? [...x.axes.slice(0, x.axes.length - axes.length), ...axes] : x.axes,
  }),
  reference: ([x]) => x,
  onnx: (_emit, [x]) => x.name,
  vjp: (g) => [g],
  along: (axis) => [axis],
  rows: sameOnRows,
  selection: no,
  view: ([x]) => ({ input: 0, axes: x.shape.map((_, from) => ({ from })) }),
  layout: "name",
  scratch: false,
  names: { label: true, axes: true },
  phrase: no,
};

/**
 * The first input's numbers, through which no gradient goes back; with a second input, which has its shape, the gradient goes to
 * that one instead: a straight-through estimator (Bengio et al. 2013).
 */
export const detach: Op<NoAttrs> = {
  outputs: 1,
  infer([x, instead]) {
    if (instead && (instead.shape.join() !== x.shape.join() || instead.dtype !== x.dtype)) {
      throw new ShapeError(
        `detach passes the gradient of ${x.dtype} ${showShape(x)} on to a value of the same shape, not to ${instead.dtype} ${showShape(instead)}.`,
        { asked: x.shape, found: instead.shape },
      );
    }
    return x;
  },
  reference: ([x]) => x,
  onnx: (_emit, [x]) => x.name,
  vjp: (g, _out, inputs) => (inputs.length === 1 ? [null] : [null, g]),
  along: (axis, inputs) => inputs.map(() => axis),
  rows: sameOnRows,
  selection: no,
  view: ([x]) => ({ input: 0, axes: x.shape.map((_, from) => ({ from })) }),
  layout: "name",
  scratch: false,
  names: {},
  phrase: no,
};

/** The last axes in another order: axis `-1` of the result is axis `perm[last]` of the input. */
export const permute: Op<{ readonly perm: readonly number[] }> = {
  outputs: 1,
  infer([x], { perm }) {
    const order = wholeOrder(x.shape.length, perm);
    return { dtype: x.dtype, shape: order.map((i) => x.shape[i]), axes: order.map((i) => x.axes[i]) };
  },
  reference([x], { perm }, out) {
    const strides = stridesOf(x.shape);
    const moved = wholeOrder(x.shape.length, perm).map((i) => strides[i]);
    return take(x, out.shape, strided(out.shape, moved));
  },
  onnx: (emit, [x], { perm }) => emit.node("Transpose", [x.name], { perm: wholeOrder(x.rank, perm) }),
  vjp(g, _out, [x], { perm }) {
    const order = wholeOrder(x.shape.length, perm);
    return [g.permute(order.map((_, i) => order.indexOf(i)))];
  },
  along: (axis, [x], { perm }) => [wholeOrder(x.shape.length, perm)[axis]],
  rows(lead, inputs, { perm }) {
    const rank = inputs[0].shape.length;
    const rest = wholeOrder(rank, perm).slice(lead.length);
    return rowsWhere(lead, inputs, { perm: rest.map((axis) => axis - rank) }, () => false);
  },
  selection: no,
  view([x], { perm }) {
    const order = wholeOrder(x.shape.length, perm);
    return { input: 0, axes: order.map((_, axis) => ({ from: order.indexOf(axis) })) };
  },
  layout: "order",
  scratch: false,
  names: {},
  phrase: no,
};

/** The order of all axes, counted from the front: those before the permuted ones stay. */
function wholeOrder(rank: number, perm: readonly number[]): number[] {
  return [...Array.from({ length: rank - perm.length }, (_, i) => i), ...perm.map((axis) => axis + rank)];
}

/** One axis becomes several whose sizes multiply to its own; at most one size is -1, and is found. */
export const splitAxis: Op<{
  readonly axis: number;
  readonly sizes: readonly number[];
  readonly axes: readonly string[];
}> = {
  outputs: 1,
  infer([x], { axis, sizes, axes }) {
    const at = axis + x.shape.length;
    const known = sizeOf(sizes.filter((n) => n >= 0));
    const found = sizes.map((n) => (n < 0 ? x.shape[at] / known : n));
    if (sizeOf(found) !== x.shape[at] || !found.every(Number.isInteger)) {
      throw new ShapeError(`Axis ${x.axes[at] || axis} of ${showShape(x)} cannot be split into [${sizes}].`, {
        asked: sizes,
        found: x.shape[at],
      });
    }
    return {
      dtype: x.dtype,
      shape: x.shape.toSpliced(at, 1, ...found),
      axes: x.axes.toSpliced(at, 1, ...axes),
    };
  },
  reference: ([x], _attrs, out) => ({ ...x, shape: out.shape }),
  onnx(emit, [x], { axis, sizes }) {
    const before = new Array<number>(axis + x.rank).fill(0); // 0 copies the input's size at the same place
    if (axis === -1) return emit.node("Reshape", [x.name, emit.int64([...before, ...sizes])]);
    const after = emit.node("Shape", [x.name], { start: axis + 1 });
    const shape = emit.node("Concat", [emit.int64([...before, ...sizes]), after], { axis: 0 });
    return emit.node("Reshape", [x.name, shape]);
  },
  vjp: (g, _out, [x], { axis, sizes }) => [g.mergeAxes(axis + x.shape.length, sizes.length)],
  along(axis, [x], attrs) {
    const split = attrs.axis + x.shape.length;
    const count = attrs.sizes.length;
    if (axis < split) return [axis];
    return axis < split + count ? undefined : [axis - count + 1];
  },
  rows: sameOnRows,
  selection: no,
  view: no,
  layout: "shape",
  scratch: false,
  names: { axes: true },
  phrase: no,
};

/** `count` neighbouring axes from `axis` on become one. */
export const mergeAxes: Op<{ readonly axis: number; readonly count: number; readonly name: string }> = {
  outputs: 1,
  infer([x], { axis, count, name }) {
    const at = axis + x.shape.length;
    return {
      dtype: x.dtype,
      shape: x.shape.toSpliced(at, count, sizeOf(x.shape.slice(at, at + count))),
      axes: x.axes.toSpliced(at, count, name),
    };
  },
  reference: ([x], _attrs, out) => ({ ...x, shape: out.shape }),
  onnx(emit, [x], { axis, count }) {
    if (axis + x.rank === 0 && count === x.rank - 1) return emit.node("Flatten", [x.name], { axis: count });
    const before = [...new Array<number>(axis + x.rank).fill(0), -1];
    if (axis + count === 0) return emit.node("Reshape", [x.name, emit.int64(before)]);
    const after = emit.node("Shape", [x.name], { start: axis + count });
    return emit.node("Reshape", [x.name, emit.node("Concat", [emit.int64(before), after], { axis: 0 })]);
  },
  vjp: (g, _out, [x], { axis, count }) => [g.reshapeLike(x, axis, count)],
  along(axis, [x], attrs) {
    const merged = attrs.axis + x.shape.length;
    if (axis < merged) return [axis];
    return axis === merged ? undefined : [axis + attrs.count - 1];
  },
  rows: sameOnRows,
  selection: no,
  view: no,
  layout: "shape",
  scratch: false,
  names: { name: true },
  phrase: no,
};

/** Undoes `mergeAxes`: the first input gets the shape of the second, which has `count` axes from `axis` on in place of one. */
export const reshapeLike: Op<{ readonly axis: number; readonly count: number }> = {
  outputs: 1,
  infer: ([x, like]) => ({ dtype: x.dtype, shape: like.shape, axes: like.axes }),
  reference: ([x], _attrs, out) => ({ ...x, shape: out.shape }),
  onnx: (emit, [x, like]) => emit.node("Reshape", [x.name, emit.node("Shape", [like.name])]),
  vjp: (g, _out, [, like], { axis, count }) => [g.mergeAxes(axis + like.shape.length, count), null],
  along(axis, [, like], attrs) {
    const split = attrs.axis + like.shape.length;
    if (axis < split) return [axis, axis];
    return axis < split + attrs.count ? undefined : [axis - attrs.count + 1, axis];
  },
  rows: sameOnRows,
  selection: no,
  view: no,
  layout: "shape",
  scratch: false,
  names: {},
  phrase: no,
};

/** A new axis of size 1, which is axis `axis` of the result. */
export const unsqueeze: Op<{ readonly axis: number; readonly name: string }> = {
  outputs: 1,
  infer([x], { axis, name }) {
    const at = axis + x.shape.length + 1;
    return { dtype: x.dtype, shape: x.shape.toSpliced(at, 0, 1), axes: x.axes.toSpliced(at, 0, name) };
  },
  reference: ([x], _attrs, out) => ({ ...x, shape: out.shape }),
  onnx: (emit, [x], { axis }) => emit.node("Unsqueeze", [x.name, emit.int64([axis])]),
  vjp: (g, _out, _in, { axis }) => [g.squeeze(axis)],
  along(axis, [x], attrs) {
    const added = attrs.axis + x.shape.length + 1;
    return [axis === added ? null : axis < added ? axis : axis - 1];
  },
  rows: sameOnRows,
  selection: no,
  view([x], { axis }) {
    const added = axis + x.shape.length + 1;
    return { input: 0, axes: x.shape.map((_, i) => ({ from: i < added ? i : i + 1 })) };
  },
  layout: "shape",
  scratch: false,
  names: { name: true },
  phrase: no,
};

/** An axis of size 1 is dropped. */
export const squeeze: Op<{ readonly axis: number }> = {
  outputs: 1,
  infer([x], { axis }) {
    const at = axis + x.shape.length;
    requireOne("squeezed", x, at);
    return { dtype: x.dtype, shape: x.shape.toSpliced(at, 1), axes: x.axes.toSpliced(at, 1) };
  },
  reference: ([x], _attrs, out) => ({ ...x, shape: out.shape }),
  onnx: (emit, [x], { axis }) => emit.node("Squeeze", [x.name, emit.int64([axis])]),
  vjp: (g, _out, [x], { axis }) => [g.unsqueeze(axis, x.axes.at(axis))],
  along: (axis, [x], attrs) => [axis < attrs.axis + x.shape.length ? axis : axis + 1],
  rows: sameOnRows,
  selection: no,
  view([x], { axis }) {
    const dropped = axis + x.shape.length;
    return { input: 0, axes: x.shape.map((_, i) => ({ from: i === dropped ? null : i < dropped ? i : i - 1 })) };
  },
  layout: "shape",
  scratch: false,
  names: {},
  phrase: no,
};

function requireOne(what: string, x: Meta, at: number): void {
  if (x.shape[at] === 1) return;
  throw new ShapeError(
    `Only an axis of size 1 can be ${what}; axis ${x.axes[at] || at} of ${showShape(x)} is ${x.shape[at]}.`,
    { asked: at, found: x.shape },
  );
}

/** Repeats the first input to the broadcast shape of both; of the second only the shape matters. */
export const expandLike: Op<NoAttrs> = {
  outputs: 1,
  infer: ([x, like]) => ({ dtype: x.dtype, ...broadcast("expandLike", [x, like]) }),
  reference: ([x], _attrs, out) => take(x, out.shape, offsets(x, out.shape)),
  onnx: (emit, [x, like]) => emit.node("Expand", [x.name, emit.node("Shape", [like.name])]),
  vjp: (g, _out, [x]) => [g.sumTo(x), null],
  along: alongBroadcast,
  rows: sameOnRows,
  scratch: false,
  ...ordinary,
};

/** Repeats an axis of size 1 `size` times. */
export const repeat: Op<{ readonly axis: number; readonly size: number }> = {
  outputs: 1,
  infer([x], { axis, size }) {
    const at = axis + x.shape.length;
    requireOne("repeated", x, at);
    return { dtype: x.dtype, shape: x.shape.with(at, size), axes: x.axes };
  },
  reference: ([x], _attrs, out) => take(x, out.shape, offsets(x, out.shape)),
  onnx: (emit, [x], { axis, size }) =>
    emit.node("Expand", [x.name, emit.int64(new Array<number>(-axis).fill(1).with(0, size))]),
  vjp: (g, _out, _in, { axis }) => [g.sum(axis, true)],
  along: (axis, [x], attrs) => [axis === attrs.axis + x.shape.length ? null : axis],
  rows: sameOnRows,
  selection: no,
  view([x], { axis }) {
    const repeated = axis + x.shape.length;
    return { input: 0, axes: x.shape.map((_, from) => (from === repeated ? { from, at: () => 0 } : { from })) };
  },
  layout: "order",
  scratch: false,
  names: {},
  phrase: no,
};

/** Inputs one after the other along an axis. */
export const concat: Op<{ readonly axis: number }> = {
  outputs: 1,
  infer(inputs, { axis }) {
    const [first, ...rest] = inputs;
    const at = axis + first.shape.length;
    for (const x of rest) {
      if (x.shape.length !== first.shape.length || x.shape.some((n, i) => i !== at && n !== first.shape[i])) {
        throw new ShapeError(
          `concat along axis ${first.axes[at] || axis} needs equal sizes on all other axes, but got ${inputs.map(showShape).join(" and ")}.`,
          { asked: axis, found: inputs.map((m) => m.shape) },
        );
      }
    }
    const size = inputs.reduce((n, x) => n + x.shape[at], 0);
    return { dtype: first.dtype, shape: first.shape.with(at, size), axes: first.axes };
  },
  reference(inputs, { axis }, out) {
    const result = take(inputs[0], out.shape, new Int32Array(sizeOf(out.shape)));
    const at = axis + out.shape.length;
    const { outer, size, inner } = around(out.shape, at);
    let start = 0;
    for (const x of inputs) {
      const block = x.shape[at] * inner;
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
      const size = x.shape.at(axis)!;
      start += size;
      return g.slice(axis, start - size, start);
    });
  },
  along: (axis, inputs, attrs) => (axis === attrs.axis + inputs[0].shape.length ? undefined : inputs.map(() => axis)),
  rows: sameOnRows,
  selection: no,
  view(inputs, attrs, out, held) {
    const joined = attrs.axis + out.shape.length;
    const i = held[joined];
    if (i === null) return null; // of several inputs
    let start = 0;
    const input = inputs.findIndex((x) => i < (start += x.shape[joined]));
    start -= inputs[input].shape[joined];
    return { input, axes: out.shape.map((_, from) => (from === joined ? { from, at: () => i - start } : { from })) };
  },
  layout: "order",
  scratch: false,
  names: {},
  phrase: no,
};

/**
 * Elements `start` to `end` (exclusive) of an axis; a negative number counts from the end, `null` is the end itself.
 * The bounds belong to the graph's structure: for a cut that varies from run to run, gather by a fed index.
 */
export const slice: Op<{ readonly axis: number; readonly start: number; readonly end: number | null }> = {
  outputs: 1,
  infer([x], attrs) {
    const at = attrs.axis + x.shape.length;
    const [start, end] = bounds(x.shape[at], attrs);
    if (!(start >= 0 && start < end && end <= x.shape[at])) {
      throw new ShapeError(
        `Slice ${attrs.start} to ${attrs.end ?? "the end"} of axis ${x.axes[at] || at} of ${showShape(x)} is empty or outside it.`,
        { asked: [attrs.start, attrs.end], found: x.shape[at] },
      );
    }
    return { dtype: x.dtype, shape: x.shape.with(at, end - start), axes: x.axes };
  },
  reference([x], attrs, out) {
    const strides = stridesOf(x.shape);
    const [start] = bounds(x.shape.at(attrs.axis)!, attrs);
    const skipped = start * strides.at(attrs.axis)!;
    return take(
      x,
      out.shape,
      strided(out.shape, strides).map((i) => i + skipped),
    );
  },
  onnx: (emit, [x], { axis, start, end }) =>
    emit.node("Slice", [x.name, emit.int64([start]), emit.int64([end ?? 2 ** 31]), emit.int64([axis])]),
  vjp(g, _out, [x], { axis, start, end }) {
    // The rest of the axis did not matter: zeros before and after.
    const zeros = (from: number, to: number | null) => x.constant(0).expandLike(x.slice(axis, from, to));
    const before = start === 0 ? [] : [zeros(0, start)];
    const after = end === null || end === x.shape.at(axis) ? [] : [zeros(end, null)];
    return [[...before, g, ...after].reduce((joined, part) => joined.concat(part, axis))];
  },
  along: (axis, [x], attrs) => (axis === attrs.axis + x.shape.length ? undefined : [axis]),
  rows: no,
  selection: (_inputs, { axis, start, end }, out) => ({
    takes: { axis: axis + out.shape.length },
    by: `${start} ${end}`,
    of: (x, at) => x.slice(at, start, end),
  }),
  view([x], attrs) {
    const cut = attrs.axis + x.shape.length;
    const [start] = bounds(x.shape[cut], attrs);
    const at = (i: number) => start + i;
    return { input: 0, axes: x.shape.map((_, from) => (from === cut ? { from, at } : { from })) };
  },
  layout: "order",
  scratch: false,
  names: {},
  phrase: no,
};

function bounds(size: number, { start, end }: { start: number; end: number | null }): [number, number] {
  const from = (n: number) => (n < 0 ? n + size : n);
  return [from(start), end === null ? size : from(end)];
}
