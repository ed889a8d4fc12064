/** Softmax along the last axis. */
import { float } from "../kernels.ts";
import { type NoAttrs, type Op, ordinary } from "../op.ts";
import { sameOnRows } from "./rows.ts";

/** exp(x) / sum(exp(x)). A row of nothing but -inf has no softmax: it is NaN, as in PyTorch. */
export const softmax: Op<NoAttrs> = {
  outputs: 1,
  infer: ([x]) => x,
  reference([x], _attrs, out) {
    const result = float(out.shape);
    const size = x.shape[x.shape.length - 1];
    for (let start = 0; start < x.data.length; start += size) {
      let top = -Infinity;
      for (let i = 0; i < size; i++) top = Math.max(top, x.data[start + i]);
      let total = 0;
      for (let i = 0; i < size; i++) total += result.data[start + i] = Math.exp(x.data[start + i] - top);
      for (let i = 0; i < size; i++) result.data[start + i] /= total;
    }
    return result;
  },
  onnx: (emit, [x]) => emit.node("Softmax", [x.name], { axis: -1 }),
  vjp: (g, out) => {
    const weighted = g.mul(out);
    return [weighted.sub(out.mul(weighted.sum(-1, true)))];
  },
  along: (axis, _inputs, _attrs, out) => (axis === out.shape.length - 1 ? undefined : [axis]),
  rows: sameOnRows,
  scratch: false,
  ...ordinary,
};
