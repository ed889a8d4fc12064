/** Picking numbers by index, and their adjoints. Indices are int32 values of the graph, so they can be fed. */
import { type NDArray, sizeOf, stridesOf } from "../../tensor/array.ts";
import { ShapeError } from "../../tensor/errors.ts";
import { type Meta, showShape } from "../axes.ts";
import { around, float } from "../kernels.ts";
import { type Emitter, type NoAttrs, no, type Op, type Operand, ordinary } from "../op.ts";
import { rowsWhere, sameOnRows } from "./rows.ts";

/** @throws ShapeError for an index that does not hold int32 */
export function requireIndex(what: string, index: Meta): void {
  if (index.dtype !== "int32") {
    throw new ShapeError(`${what} needs int32 indices, but got ${index.dtype} ${showShape(index)}.`, {
      asked: what,
      found: index.dtype,
    });
  }
}

/** An index that may count from the end, checked as ONNX Runtime checks it. */
function checked(i: number, size: number): number {
  const at = i < 0 ? i + size : i;
  if (at < 0 || at >= size) {
    throw new ShapeError(`Index ${i} is outside an axis of size ${size}.`, { asked: i, found: size });
  }
  return at;
}

/**
 * `x[..., index, ...]`: the axis (counted from the end) is replaced by the index's own axes. Embedding lookup is gather
 * on the vocabulary's axis.
 */
export const gather: Op<{ readonly axis: number }> = {
  outputs: 1,
  infer([x, index], { axis }) {
    requireIndex("gather", index);
    const at = axis + x.shape.length;
    return {
      dtype: x.dtype,
      shape: x.shape.toSpliced(at, 1, ...index.shape),
      axes: x.axes.toSpliced(at, 1, ...index.axes.map((a) => a || (index.axes.length === 1 ? x.axes[at] : ""))),
    };
  },
  reference([x, index], { axis }, out) {
    const { outer, size, inner } = around(x.shape, axis + x.shape.length);
    const data = like(x, sizeOf(out.shape));
    for (let o = 0, at = 0; o < outer; o++) {
      for (const raw of index.data) {
        const from = (o * size + checked(raw, size)) * inner;
        for (let i = 0; i < inner; i++) data[at++] = x.data[from + i];
      }
    }
    return { dtype: x.dtype === "float32" ? "float64" : x.dtype, shape: out.shape, data } as NDArray;
  },
  onnx: (emit, [x, index], { axis }) => emit.node("Gather", [x.name, index.name], { axis }),
  vjp(g, _out, [x, index], { axis }) {
    const at = axis + x.shape.length;
    if (at === 0) return [x.scatterAddLike(index, g), null];
    // Rows to the front, summed into place, and back.
    const front = [at, ...x.shape.map((_, i) => i).filter((i) => i !== at)];
    const rows = g.permute(frontFrom(at, index.shape.length, g.shape.length));
    const summed = x.permute(front).scatterAddLike(index, rows);
    return [summed.permute(x.shape.map((_, i) => front.indexOf(i))), null];
  },
  along(axis, [x, index], attrs) {
    const picked = attrs.axis + x.shape.length;
    if (axis < picked) return [axis, null];
    if (axis < picked + index.shape.length) return [null, axis - picked];
    return [axis - index.shape.length + 1, null];
  },
  rows: (lead, inputs, attrs) => rowsWhere(lead, inputs, attrs, () => true),
  selection: ([, index], { axis }, out) =>
    index.shape.length === 1 && index.array
      ? { takes: { axis: axis + out.shape.length }, by: index, of: (x, at) => x.gather(at, index) }
      : null,
  view([x, index], { axis }) {
    const numbers = index.array?.data;
    if (!numbers || index.shape.length !== 1) return null;
    const picked = axis + x.shape.length;
    const size = x.shape[picked];
    const at = (i: number) => (numbers[i] < 0 ? numbers[i] + size : numbers[i]);
    return { input: 0, axes: x.shape.map((_, from) => (from === picked ? { from, at } : { from })) };
  },
  layout: null,
  scratch: false,
  names: {},
  phrase: no,
};

/** The permutation that brings `count` axes from `axis` on to the front. */
function frontFrom(axis: number, count: number, rank: number): number[] {
  const moved = Array.from({ length: count }, (_, i) => axis + i);
  return [...moved, ...Array.from({ length: rank }, (_, i) => i).filter((i) => !moved.includes(i))];
}

function like(x: NDArray, size: number): Float64Array | Int32Array | Uint8Array {
  if (x.dtype === "int32") return new Int32Array(size);
  return x.dtype === "bool" ? new Uint8Array(size) : new Float64Array(size);
}

/** Zeros of the first input's shape, with `updates` added into its rows at `index`: the adjoint of gather on axis 0. */
export const scatterAddLike: Op<NoAttrs> = {
  outputs: 1,
  infer([x, index, updates]) {
    requireIndex("scatterAddLike", index);
    const expected = [...index.shape, ...x.shape.slice(1)];
    if (updates.shape.join() !== expected.join()) {
      throw new ShapeError(
        `scatterAddLike into ${showShape(x)} at index ${showShape(index)} needs updates of shape [${expected}], but got ${showShape(updates)}.`,
        { asked: expected, found: updates.shape },
      );
    }
    return { ...x, dtype: updates.dtype };
  },
  reference([x, index, updates], _attrs, out) {
    const result = float(out.shape);
    const inner = sizeOf(x.shape.slice(1));
    index.data.forEach((raw, n) => {
      const to = checked(raw, x.shape[0]) * inner;
      for (let i = 0; i < inner; i++) result.data[to + i] += updates.data[n * inner + i];
    });
    return result;
  },
  onnx(emit, [x, index, updates]) {
    const flat = emit.node("Reshape", [index.name, emit.int64([-1])]);
    return addedRows(emit, x, flat, emit.node("Flatten", [updates.name], { axis: index.rank }), 1);
  },
  vjp: (g, _out, [, index]) => [null, null, g.gather(0, index)],
  along(axis, [, index]) {
    if (axis === 0) return undefined;
    return [axis, null, index.shape.length + axis - 1];
  },
  rows: no,
  scratch: true,
  ...ordinary,
};

/**
 * Zeros of x's shape, seen as rows over its first `k` axes, with updates [row inner] added at `index` [row]. ScatterND would
 * take rows as they are, but the runtime's adds to equal indices from several threads at the same time, and loses some.
 */
function addedRows(emit: Emitter, x: Operand, index: string, updates: string, k: number): string {
  const shape = emit.node("Shape", [x.name]);
  const zeros = emit.node("Flatten", [emit.node("Expand", [emit.float(0), shape])], { axis: k });
  const each = emit.node("Expand", [emit.node("Unsqueeze", [index, emit.int64([1])]), emit.node("Shape", [updates])]);
  const added = emit.node("ScatterElements", [zeros, each, updates], { axis: 0, reduction: "add" });
  return emit.node("Reshape", [added, shape]);
}

/** `x[index[r][0], index[r][1], ...]` for each row r: an index of shape [row, k] picks rows by their first k axes. */
export const gatherRows: Op<{ readonly axes: number }> = {
  outputs: 1,
  infer([x, index]) {
    requireIndex("gatherRows", index);
    const k = index.shape[1];
    if (index.shape.length !== 2 || k > x.shape.length) {
      throw new ShapeError(
        `gatherRows needs an index of shape [row, k] with k at most ${x.shape.length} for ${showShape(x)}, but got ${showShape(index)}.`,
        { asked: index.shape, found: x.shape },
      );
    }
    return {
      dtype: x.dtype,
      shape: [index.shape[0], ...x.shape.slice(k)],
      axes: [index.axes[0] || "row", ...x.axes.slice(k)],
    };
  },
  reference([x, index], _attrs, out) {
    const [rows, k] = index.shape;
    const strides = stridesOf(x.shape);
    const inner = sizeOf(x.shape.slice(k));
    const data = like(x, sizeOf(out.shape));
    for (let r = 0; r < rows; r++) {
      let from = 0;
      for (let i = 0; i < k; i++) from += checked(index.data[r * k + i], x.shape[i]) * strides[i];
      for (let i = 0; i < inner; i++) data[r * inner + i] = x.data[from + i];
    }
    return { dtype: x.dtype === "float32" ? "float64" : x.dtype, shape: out.shape, data } as NDArray;
  },
  onnx(emit, [x, index], { axes }) {
    const at = emit.node("Cast", [index.name], { to: 7 });
    if (x.rank === axes + 1) return emit.node("GatherND", [x.name, at]);
    // What is not picked from is one axis: onnxruntime-web's WebGPU takes one program for all results of equally many axes of x.
    const flat = emit.node("Reshape", [x.name, emit.int64([...Array(axes).fill(0), -1])]);
    const rest = emit.node("Concat", [emit.int64([-1]), emit.node("Shape", [x.name], { start: axes })], { axis: 0 });
    return emit.node("Reshape", [emit.node("GatherND", [flat, at]), rest]);
  },
  vjp: (g, _out, [x, index]) => [x.scatterRowsLike(index, g), null],
  along: (axis, [, index]) => (axis === 0 ? [null, 0] : [axis + index.shape[1] - 1, null]),
  rows: no,
  selection: ([, index]) => ({ takes: { rows: index.shape[1] }, by: index, of: (x) => x.gatherRows(index) }),
  view: no,
  layout: null,
  scratch: false,
  names: {},
  phrase: no,
};

/** Zeros of the first input's shape, with rows added at `index`: the adjoint of gatherRows. */
export const scatterRowsLike: Op<NoAttrs> = {
  outputs: 1,
  infer: ([x, , updates]) => ({ ...x, dtype: updates.dtype }),
  reference([x, index, updates], _attrs, out) {
    const [rows, k] = index.shape;
    const strides = stridesOf(x.shape);
    const inner = sizeOf(x.shape.slice(k));
    const result = float(out.shape);
    for (let r = 0; r < rows; r++) {
      let to = 0;
      for (let i = 0; i < k; i++) to += checked(index.data[r * k + i], x.shape[i]) * strides[i];
      for (let i = 0; i < inner; i++) result.data[to + i] += updates.data[r * inner + i];
    }
    return result;
  },
  onnx(emit, [x, index, updates]) {
    // Rows by one number each: (i0 n1 + i1) n2 + i2 ..., where an index that counts from the end is brought to the front.
    const k = x.rank + 1 - updates.rank;
    const column = (i: number) => emit.node("Gather", [index.name, emit.int64([i], [])], { axis: 1 });
    const size = (i: number) => emit.node("Cast", [emit.node("Shape", [x.name], { start: i, end: i + 1 })], { to: 6 });
    const inside = (i: number) => emit.node("Mod", [column(i), size(i)]);
    let flat = inside(0);
    for (let i = 1; i < k; i++) flat = emit.node("Add", [emit.node("Mul", [flat, size(i)]), inside(i)]);
    return addedRows(emit, x, flat, emit.node("Flatten", [updates.name], { axis: 1 }), k);
  },
  vjp: (g, _out, [, index]) => [null, null, g.gatherRows(index)],
  along: () => undefined,
  rows: no,
  scratch: true,
  ...ordinary,
};

/**
 * One element per row: `x[..., index[...]]` along the last axis. The index has x's shape without that axis; it may lack
 * axes in front, and is then the same along them.
 */
export const pick: Op<NoAttrs> = {
  outputs: 1,
  infer([x, index]) {
    requireIndex("pick", index);
    const lead = x.shape.length - 1 - index.shape.length;
    if (lead < 0 || index.shape.join() !== x.shape.slice(lead, -1).join()) {
      throw new ShapeError(
        `pick needs an index for each row of ${showShape(x)}, of shape [${x.shape.slice(0, -1)}], but got ${showShape(index)}.`,
        { asked: index.shape, found: x.shape },
      );
    }
    return { dtype: x.dtype, shape: x.shape.slice(0, -1), axes: x.axes.slice(0, -1) };
  },
  reference([x, index], _attrs, out) {
    const size = x.shape[x.shape.length - 1];
    return float(
      out.shape,
      Float64Array.from(
        { length: sizeOf(out.shape) },
        (_, r) => x.data[r * size + checked(index.data[r % index.data.length], size)],
      ),
    );
  },
  onnx(emit, [x, index]) {
    const last = emit.int64([-1]);
    const column = emit.node("Unsqueeze", [wholeIndex(emit, index, x), last]);
    return emit.node("Squeeze", [emit.node("GatherElements", [x.name, column], { axis: x.rank - 1 }), last]);
  },
  vjp: (g, _out, [x, index]) => [x.placeLike(index, g), null],
  along(axis, [x, index]) {
    const lead = x.shape.length - 1 - index.shape.length;
    return [axis, axis < lead ? null : axis - lead];
  },
  rows: sameOnRows,
  scratch: false,
  ...ordinary,
};

/** An index for each row of x, repeated along the axes in front that it lacks. */
export function wholeIndex(emit: Emitter, index: Operand, x: Operand): string {
  if (index.rank === x.rank - 1) return index.name;
  return emit.node("Expand", [index.name, emit.node("Shape", [x.name], { end: -1 })]);
}

/** Zeros of the first input's shape with one number a row set at `index`: the adjoint of pick. */
export const placeLike: Op<NoAttrs> = {
  outputs: 1,
  infer: ([x, , values]) => ({ dtype: values.dtype, shape: x.shape, axes: x.axes }),
  reference([x, index, values], _attrs, out) {
    const size = x.shape[x.shape.length - 1];
    const result = float(out.shape);
    values.data.forEach((value: number, r: number) => {
      result.data[r * size + checked(index.data[r % index.data.length], size)] = value;
    });
    return result;
  },
  onnx(emit, [x, index, values]) {
    const last = emit.int64([-1]);
    const zeros = emit.node("Expand", [emit.float(0), emit.node("Shape", [x.name])]);
    const column = (v: string) => emit.node("Unsqueeze", [v, last]);
    return emit.node("ScatterElements", [zeros, column(wholeIndex(emit, index, x)), column(values.name)], {
      axis: x.rank - 1,
    });
  },
  vjp: (g, _out, [, index]) => [null, null, g.pick(index)],
  along(axis, [x, index]) {
    const lead = x.shape.length - 1 - index.shape.length;
    return axis === x.shape.length - 1 ? undefined : [axis, axis < lead ? null : axis - lead, axis];
  },
  rows: sameOnRows,
  scratch: false,
  ...ordinary,
};

/** Several elements of each row: `x[..., index[..., i]]` along the last axis, for an index [... k]. */
export const pickEach: Op<NoAttrs> = {
  outputs: 1,
  infer([x, index]) {
    requireIndex("pickEach", index);
    if (x.shape.length === 0 || index.shape.slice(0, -1).join() !== x.shape.slice(0, -1).join()) {
      throw new ShapeError(
        `pickEach needs indices for each row of ${showShape(x)}, of shape [${[...x.shape.slice(0, -1), "k"]}], but got ${showShape(index)}.`,
        { asked: index.shape, found: x.shape },
      );
    }
    return { dtype: x.dtype, shape: index.shape, axes: [...x.axes.slice(0, -1), index.axes.at(-1)!] };
  },
  reference([x, index], _attrs, out) {
    const [size, k] = [x, index].map(({ shape }) => shape[shape.length - 1]);
    return float(
      out.shape,
      Float64Array.from(index.data, (at, i) => x.data[Math.floor(i / k) * size + checked(Number(at), size)]),
    );
  },
  onnx: (emit, [x, index]) => emit.node("GatherElements", [x.name, index.name], { axis: x.rank - 1 }),
  vjp: (g, _out, [x, index]) => [x.placeEachLike(index, g), null],
  along: (axis, [x]) => (axis === x.shape.length - 1 ? undefined : [axis, axis]),
  rows: sameOnRows,
  scratch: false,
  ...ordinary,
};

/** Zeros of the first input's shape with several numbers a row set at `index`, each place at most once: the adjoint of pickEach. */
export const placeEachLike: Op<NoAttrs> = {
  outputs: 1,
  infer: ([x, , values]) => ({ dtype: values.dtype, shape: x.shape, axes: x.axes }),
  reference([x, index, values], _attrs, out) {
    const [size, k] = [x, index].map(({ shape }) => shape[shape.length - 1]);
    const result = float(out.shape);
    values.data.forEach((value: number, i: number) => {
      result.data[Math.floor(i / k) * size + checked(Number(index.data[i]), size)] = value;
    });
    return result;
  },
  onnx(emit, [x, index, values]) {
    const zeros = emit.node("Expand", [emit.float(0), emit.node("Shape", [x.name])]);
    return emit.node("ScatterElements", [zeros, index.name, values.name], { axis: x.rank - 1 });
  },
  vjp: (g, _out, [, index]) => [null, null, g.pickEach(index)],
  along: (axis, [x]) => (axis === x.shape.length - 1 ? undefined : [axis, axis, axis]),
  rows: sameOnRows,
  scratch: false,
  ...ordinary,
};

/** The first input with one number a row added at `index`, as for `pick`: only what changes is touched. */
export const addAt: Op<NoAttrs> = {
  outputs: 1,
  infer([x, index, values]) {
    pick.infer([x, index], {}, 0);
    if (values.shape.join() !== x.shape.slice(0, -1).join()) {
      throw new ShapeError(
        `addAt needs a number for each row of ${showShape(x)}, of shape [${x.shape.slice(0, -1)}], but got ${showShape(values)}.`,
        { asked: x.shape.slice(0, -1), found: values.shape },
      );
    }
    return x;
  },
  reference([x, index, values], _attrs, out) {
    const size = x.shape[x.shape.length - 1];
    const result = float(out.shape, Float64Array.from(x.data as ArrayLike<number>));
    values.data.forEach((value: number, r: number) => {
      result.data[r * size + checked(index.data[r % index.data.length], size)] += value;
    });
    return result;
  },
  onnx(emit, [x, index, values]) {
    const last = emit.int64([-1]);
    const column = (v: string) => emit.node("Unsqueeze", [v, last]);
    return emit.node("ScatterElements", [x.name, column(wholeIndex(emit, index, x)), column(values.name)], {
      axis: x.rank - 1,
      reduction: "add",
    });
  },
  vjp: (g, _out, [, index]) => [g, null, g.pick(index)],
  along(axis, [x, index]) {
    const lead = x.shape.length - 1 - index.shape.length;
    return axis === x.shape.length - 1 ? undefined : [axis, axis < lead ? null : axis - lead, axis];
  },
  rows: sameOnRows,
  scratch: false,
  ...ordinary,
};
