/** Products of rows with matrices, each with the one that is chosen for it. */
import { sizeOf } from "../../tensor/array.ts";
import { ShapeError } from "../../tensor/errors.ts";
import { broadcast, type Meta, showShape } from "../axes.ts";
import { float, offsets } from "../kernels.ts";
import { type Emitter, type NoAttrs, no, type Op, type Operand, ordinary } from "../op.ts";
import { alongBroadcast } from "./elementwise.ts";
import { requireIndex } from "./gather.ts";
import { rowsWhere } from "./rows.ts";

/**
 * `[..., i]` with int32 `[...]` and matrices `[i, j]` each: `[..., j]`, where each row is multiplied with the matrix of its
 * index. The rows' axes and the index's broadcast. Only the chosen products are computed: rows are sorted by their matrix,
 * and one that is not chosen is not read.
 */
export const matmulChosen: Op<NoAttrs> = {
  outputs: 1,
  infer([x, index, ...matrices]) {
    requireIndex("matmulChosen", index);
    const [first] = matrices;
    const inner = x.shape.at(-1);
    const alike = matrices.every((m) => m.shape.length === 2 && m.shape.join() === first.shape.join());
    if (!first || !alike || x.shape.length < 2 || inner !== first.shape[0]) {
      throw new ShapeError(
        `matmulChosen of ${showShape(x)} needs matrices of one shape [${inner}, …], but got ${matrices.map(showShape).join(" and ") || "none"}.`,
        { asked: x.shape, found: matrices.map((m) => m.shape) },
      );
    }
    const lead = broadcast("matmulChosen", [rowsOf(x), index]);
    return {
      dtype: x.dtype,
      shape: [...lead.shape, first.shape[1]],
      axes: [...lead.axes, first.axes[1]],
    };
  },
  reference([x, index, ...matrices], _attrs, out) {
    const lead = out.shape.slice(0, -1);
    const [inner, columns] = matrices[0].shape;
    const atX = offsets({ ...x, shape: x.shape.slice(0, -1) }, lead);
    const atIndex = offsets(index, lead);
    const result = float(out.shape);
    for (let row = 0; row < sizeOf(lead); row++) {
      const which = index.data[atIndex[row]];
      const matrix = matrices[which];
      if (!matrix) {
        throw new ShapeError(`Index ${which} is outside ${matrices.length} matrices.`, {
          asked: which,
          found: matrices.length,
        });
      }
      for (let k = 0; k < inner; k++) {
        const value = x.data[atX[row] * inner + k];
        for (let j = 0; j < columns; j++) result.data[row * columns + j] += value * matrix.data[k * columns + j];
      }
    }
    return result;
  },
  onnx(emit, [x, index, ...matrices]) {
    const node = emit.node.bind(emit);
    const { order, counts, lead } = sortedRows(emit, [x], index, matrices.length);
    const parts = emit.nodeOf(matrices.length, "Split", [taken(emit, x, order, lead), counts], { axis: 0 });
    const products = matrices.map((matrix, i) => node("MatMul", [parts[i], matrix.name]));
    const joined = products.length === 1 ? products[0] : node("Concat", products, { axis: 0 });
    const back = node("ScatterND", [joined, node("Unsqueeze", [order, emit.int64([1])]), joined]);
    return node("Reshape", [back, node("Concat", [lead, emit.int64([-1])], { axis: 0 })]);
  },
  vjp(g, _out, [x, index, ...matrices]) {
    const turned = matrices.map((matrix) => matrix.transpose(0, 1));
    const outer = x.outerChosen(index, g, matrices.length);
    return [
      g.matmulChosen(index, turned).sumTo(x),
      null,
      ...matrices.map((_, i) => outer.slice(0, i, i + 1).squeeze(0)),
    ];
  },
  along(axis, [x, index, ...matrices], attrs, out) {
    if (axis === out.shape.length - 1) return [null, null, ...matrices.map(() => 1)];
    return [...alongBroadcast(axis, [rowsOf(x), index], attrs, rowsOf(out)), ...matrices.map(() => null)];
  },
  rows(lead, inputs, attrs, out) {
    const left = out.shape.length - 1 - lead.length;
    if (left < 0) return null;
    return rowsWhere(lead, inputs, attrs, (x, i) => i > 1 || x.shape.length - (i === 0 ? 1 : 0) <= left);
  },
  scratch: true,
  ...ordinary,
};

/**
 * `[..., i]` and `[..., j]` with int32 `[...]` below `count`: `[count, i, j]`, for each number the sum of the outer products of its
 * rows. The axes of the first rows and of the index broadcast to those of the second. The adjoint of `matmulChosen`.
 */
export const outerChosen: Op<{ readonly count: number }> = {
  outputs: 1,
  infer([x, index, y], { count }) {
    requireIndex("outerChosen", index);
    if (!(Number.isInteger(count) && count >= 1) || x.shape.length < 2 || y.shape.length < 2) {
      throw new ShapeError(
        `outerChosen needs rows and a count from 1 up, not ${showShape(x)}, ${showShape(y)}, ${count}.`,
        {
          asked: count,
          found: [x.shape, y.shape],
        },
      );
    }
    const { shape: lead } = broadcast("outerChosen", [rowsOf(x), index, rowsOf(y)]);
    if (lead.join() !== y.shape.slice(0, -1).join()) {
      throw new ShapeError(
        `outerChosen of ${showShape(x)} by ${showShape(index)} needs rows of shape [${lead}, …], but got ${showShape(y)}.`,
        {
          asked: lead,
          found: y.shape,
        },
      );
    }
    const dtype = x.dtype;
    return { dtype, shape: [count, x.shape.at(-1)!, y.shape.at(-1)!], axes: ["", x.axes.at(-1)!, y.axes.at(-1)!] };
  },
  reference([x, index, y], { count }, out) {
    const [rows, columns] = out.shape.slice(1);
    const lead = y.shape.slice(0, -1);
    const [atX, atIndex] = [offsets({ ...x, shape: x.shape.slice(0, -1) }, lead), offsets(index, lead)];
    const result = float(out.shape);
    for (let row = 0; row < sizeOf(lead); row++) {
      const which = index.data[atIndex[row]];
      if (!(which >= 0 && which < count)) {
        throw new ShapeError(`Index ${which} is outside ${count} sums.`, { asked: which, found: count });
      }
      for (let i = 0; i < rows; i++) {
        const value = x.data[atX[row] * rows + i];
        const to = (which * rows + i) * columns;
        for (let j = 0; j < columns; j++) result.data[to + j] += value * y.data[row * columns + j];
      }
    }
    return result;
  },
  onnx(emit, [x, index, y], { count }) {
    const node = emit.node.bind(emit);
    const { order, counts, lead } = sortedRows(emit, [x, y], index, count);
    const parts = (m: Operand) => emit.nodeOf(count, "Split", [taken(emit, m, order, lead), counts], { axis: 0 });
    const [left, right] = [parts(x), parts(y)];
    const first = emit.int64([0]);
    const sums = left.map((part, i) => {
      const product = node("MatMul", [node("Transpose", [part], { perm: [1, 0] }), right[i]]);
      return node("Unsqueeze", [product, first]);
    });
    return sums.length === 1 ? sums[0] : node("Concat", sums, { axis: 0 });
  },
  vjp(g, _out, [x, index, y], { count }) {
    const each = Array.from({ length: count }, (_, i) => g.slice(0, i, i + 1).squeeze(0));
    const turned = each.map((matrix) => matrix.transpose(0, 1));
    return [y.matmulChosen(index, turned).sumTo(x), null, x.matmulChosen(index, each).expandLike(y)];
  },
  along(axis, [x, , y]) {
    if (axis === 0) return undefined;
    return axis === 1 ? [x.shape.length - 1, null, null] : [null, null, y.shape.length - 1];
  },
  rows: no,
  scratch: true,
  ...ordinary,
};

/** How rows are sorted by their index, in ONNX. */
interface SortedRows {
  /** Which row each of the sorted is. */
  readonly order: string;
  /** How many there are of each number. */
  readonly counts: string;
  /** The rows' shape, before they became one axis. */
  readonly lead: string;
}

function sortedRows(emit: Emitter, values: readonly Operand[], index: Operand, count: number): SortedRows {
  const whole = values.reduce(
    (i, x) => emit.node("Expand", [i, emit.node("Shape", [x.name], { end: -1 })]),
    index.name,
  );
  const lead = emit.node("Shape", [whole]);
  const choices = emit.node("Reshape", [whole, emit.int64([-1])]);
  const [, order] = emit.nodeOf(2, "TopK", [choices, emit.node("Shape", [choices])], { largest: 0, axis: 0 });
  const each = Array.from({ length: count }, (_, i) => i);
  const column = emit.node("Cast", [emit.int64(each, [count, 1])], { to: 6 });
  const chosen = emit.node("Cast", [emit.node("Equal", [choices, column])], { to: 7 });
  return { order, lead, counts: emit.node("ReduceSum", [chosen, emit.int64([1])], { keepdims: 0 }) };
}

/** The rows of a value, broadcast to the rows' shape, in order. */
function taken(emit: Emitter, x: Operand, order: string, lead: string): string {
  const flat = emit.int64([-1]);
  const own = emit.node("Shape", [x.name], { end: -1 });
  // Which of x's rows each is, before it is broadcast.
  const total = emit.node("ReduceProd", [own], { keepdims: 0 });
  const numbers = emit.node("Reshape", [emit.node("Range", [emit.int64([0], []), total, emit.int64([1], [])]), own]);
  const places = emit.node("Reshape", [emit.node("Expand", [numbers, lead]), flat]);
  const rows = emit.node("Flatten", [x.name], { axis: x.rank - 1 });
  return emit.node("Gather", [rows, emit.node("Gather", [places, order], { axis: 0 })], { axis: 0 });
}

/** A value's axes but for the last. */
function rowsOf(m: Meta): Meta {
  return { dtype: m.dtype, shape: m.shape.slice(0, -1), axes: m.axes.slice(0, -1) };
}
