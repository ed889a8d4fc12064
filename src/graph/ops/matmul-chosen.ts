/** Products of rows with matrices, each with the one that is chosen for it. */
import { sizeOf } from "../../tensor/array.ts";
import { ShapeError } from "../../tensor/errors.ts";
import { broadcast, type Meta, showShape } from "../axes.ts";
import { float, offsets } from "../kernels.ts";
import { type NoAttrs, type Op, ordinary } from "../op.ts";
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
    const flat = emit.int64([-1]);
    const rows = node("Flatten", [x.name], { axis: x.rank - 1 });
    const lead = node("Shape", [x.name], { end: -1 });
    const whole = node("Expand", [index.name, lead]);
    const shape = node("Shape", [whole]);
    const choices = node("Reshape", [whole, flat]);
    // Which of x's rows each is, before it is broadcast.
    const count = node("ReduceProd", [lead], { keepdims: 0 });
    const numbers = node("Range", [emit.int64([0], []), count, emit.int64([1], [])]);
    const places = node("Reshape", [node("Expand", [node("Reshape", [numbers, lead]), shape]), flat]);
    const [, order] = emit.nodeOf(2, "TopK", [choices, node("Shape", [choices])], { largest: 0, axis: 0 });
    const column = node("Cast", [emit.int64([...matrices.keys()], [matrices.length, 1])], { to: 6 });
    const chosen = node("Cast", [node("Equal", [choices, column])], { to: 7 });
    const counts = node("ReduceSum", [chosen, emit.int64([1])], { keepdims: 0 });
    const sorted = node("Gather", [rows, node("Gather", [places, order], { axis: 0 })], { axis: 0 });
    const parts = emit.nodeOf(matrices.length, "Split", [sorted, counts], { axis: 0 });
    const products = matrices.map((matrix, i) => node("MatMul", [parts[i], matrix.name]));
    const joined = products.length === 1 ? products[0] : node("Concat", products, { axis: 0 });
    const back = node("ScatterND", [joined, node("Unsqueeze", [order, emit.int64([1])]), joined]);
    return node("Reshape", [back, node("Concat", [shape, flat], { axis: 0 })]);
  },
  vjp: (g, _out, [x, index, ...matrices]) => [
    g
      .matmulChosen(
        index,
        matrices.map((matrix) => matrix.transpose(0, 1)),
      )
      .sumTo(x),
    null,
    ...matrices.map((_, i) => {
      const own = x.where(index.equal(index.constant(i)).unsqueeze(-1), x.constant(0));
      const rows = own.mergeAxes(0, own.shape.length - 1);
      return rows.transpose(0, 1).matmul(g.mergeAxes(0, g.shape.length - 1));
    }),
  ],
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

/** A value's axes but for the last. */
function rowsOf(m: Meta): Meta {
  return { dtype: m.dtype, shape: m.shape.slice(0, -1), axes: m.axes.slice(0, -1) };
}
