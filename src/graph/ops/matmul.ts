/** Matrix products, on the last two axes. */
import { ShapeError } from "../../tensor/errors.ts";
import { broadcast, type Meta, showShape } from "../axes.ts";
import { float, offsets } from "../kernels.ts";
import { type NoAttrs, type Op, ordinary } from "../op.ts";
import { alongBroadcast } from "./elementwise.ts";
import { rowsWhere } from "./rows.ts";

/** `[..., i, k] x [..., k, j] -> [..., i, j]`; the leading axes broadcast. */
export const matmul: Op<NoAttrs> = {
  outputs: 1,
  infer([a, b]) {
    const inner = a.shape[a.shape.length - 1];
    if (a.shape.length < 2 || b.shape.length < 2 || inner !== b.shape[b.shape.length - 2]) {
      throw new ShapeError(
        `matmul of ${showShape(a)} with ${showShape(b)}: the last axis of the first (${inner}) must be as long as the second to last of the second (${b.shape[b.shape.length - 2] ?? "none"}).`,
        { asked: a.shape, found: b.shape },
      );
    }
    const lead = broadcast("matmul", [leading(a), leading(b)]);
    return {
      dtype: a.dtype,
      shape: [...lead.shape, a.shape[a.shape.length - 2], b.shape[b.shape.length - 1]],
      axes: [...lead.axes, a.axes[a.axes.length - 2], b.axes[b.axes.length - 1]],
    };
  },
  reference([a, b], _attrs, out) {
    const lead = out.shape.slice(0, -2);
    const [rows, columns] = out.shape.slice(-2);
    const inner = a.shape[a.shape.length - 1];
    const corner = (x: typeof a) => ({
      ...x,
      shape: x.shape.slice(0, -2),
    });
    const atA = offsets(corner(a), lead);
    const atB = offsets(corner(b), lead);
    const result = float(out.shape);
    for (let n = 0; n < atA.length; n++) {
      const pa = atA[n] * rows * inner;
      const pb = atB[n] * inner * columns;
      const po = n * rows * columns;
      for (let i = 0; i < rows; i++) {
        for (let k = 0; k < inner; k++) {
          const x = a.data[pa + i * inner + k];
          for (let j = 0; j < columns; j++) result.data[po + i * columns + j] += x * b.data[pb + k * columns + j];
        }
      }
    }
    return result;
  },
  onnx: (emit, [a, b]) => emit.node("MatMul", [a.name, b.name]),
  vjp: (g, _out, [a, b]) => [
    g.matmul(b.transpose(-1, -2)).sumTo(a),
    // A weight shared by all leading axes: one product over all rows, not a product each and a sum.
    b.shape.length === 2
      ? a
          .mergeAxes(0, a.shape.length - 1)
          .transpose(0, 1)
          .matmul(g.mergeAxes(0, g.shape.length - 1))
      : a.transpose(-1, -2).matmul(g).sumTo(b),
  ],
  along(axis, [a, b], attrs, out) {
    const rank = out.shape.length;
    if (axis === rank - 2) return [a.shape.length - 2, null];
    if (axis === rank - 1) return [null, b.shape.length - 1];
    return alongBroadcast(axis, [a, b], attrs, out);
  },
  rows: (lead, inputs, attrs) => rowsWhere(lead, inputs, attrs, (x, i) => i === 1 && x.shape.length === 2),
  scratch: false,
  ...ordinary,
};

function leading(m: Meta): Meta {
  return { dtype: m.dtype, shape: m.shape.slice(0, -2), axes: m.axes.slice(0, -2) };
}
