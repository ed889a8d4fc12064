/** A product with a weight that is kept transposed, which for a few dozen rows is the faster layout. */
import { ShapeError } from "../../tensor/errors.ts";
import { showShape } from "../axes.ts";
import { float } from "../kernels.ts";
import { type NoAttrs, no, type Op } from "../op.ts";
import { rowsWhere } from "./rows.ts";

/** `x wᵀ + b`: `[..., k]`, `[n, k]`, `[n]` to `[..., n]`. */
export const linear: Op<NoAttrs> = {
  outputs: 1,
  infer([x, w, b]) {
    const k = x.shape.at(-1);
    if (w.shape.length !== 2 || k !== w.shape[1] || b.shape.join() !== `${w.shape[0]}`) {
      throw new ShapeError(
        `linear of ${showShape(x)} needs a weight of shape [n, ${k}] and a bias of shape [n], but got ${showShape(w)} and ${showShape(b)}.`,
        { asked: x.shape, found: [w.shape, b.shape] },
      );
    }
    return {
      dtype: x.dtype,
      shape: [...x.shape.slice(0, -1), w.shape[0]],
      axes: [...x.axes.slice(0, -1), b.axes[0] || w.axes[0]],
    };
  },
  reference([x, w, b], _attrs, out) {
    const result = float(out.shape);
    const [n, k] = w.shape;
    for (let row = 0; row < result.data.length / n; row++) {
      for (let j = 0; j < n; j++) {
        let sum = b.data[j];
        for (let i = 0; i < k; i++) sum += x.data[row * k + i] * w.data[j * k + i];
        result.data[row * n + j] = sum;
      }
    }
    return result;
  },
  onnx(emit, [x, w, b]) {
    if (x.rank === 2) return emit.node("Gemm", [x.name, w.name, b.name], { transB: 1 });
    if (emit.outputOnly) {
      // Numbers that only leave the graph need no shape: a reshape would copy them once more.
      return emit.node("Gemm", [emit.node("Flatten", [x.name], { axis: x.rank - 1 }), w.name, b.name], { transB: 1 });
    }
    // The runtime fuses this transpose into the product.
    const transposed = emit.node("Transpose", [w.name], { perm: [1, 0] });
    return emit.node("Add", [emit.node("MatMul", [x.name, transposed]), b.name]);
  },
  vjp(g, _out, [x, w, b]) {
    const rows = (t: typeof g) => t.mergeAxes(0, t.shape.length - 1);
    return [g.matmul(w), rows(g).transpose(0, 1).matmul(rows(x)), g.sumTo(b)];
  },
  along: (axis, _inputs, _attrs, out) => (axis === out.shape.length - 1 ? [null, 0, 0] : [axis, null, null]),
  rows: (lead, inputs, attrs) => rowsWhere(lead, inputs, attrs, () => true),
  selection: no,
  view: no,
  layout: null,
  scratch: false,
  names: {},
  phrase: no,
};
