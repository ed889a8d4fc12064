/** The loss of predictions, one number a row. */
import { float } from "../kernels.ts";
import { type NoAttrs, type Op, ordinary } from "../op.ts";
import { pick, wholeIndex } from "./gather.ts";
import { sameOnRows } from "./rows.ts";

/** `-log softmax(x)[index]` along the last axis, in nats; the index as for `pick`. */
export const crossEntropy: Op<NoAttrs> = {
  outputs: 1,
  infer: pick.infer,
  reference([x, index], attrs, out, output) {
    const size = x.shape[x.shape.length - 1];
    const chosen = pick.reference([x, index], attrs, out, output).data;
    const losses = Float64Array.from(chosen as ArrayLike<number>, (score, row) => {
      let top = -Infinity;
      for (let i = 0; i < size; i++) top = Math.max(top, x.data[row * size + i]);
      let total = 0;
      for (let i = 0; i < size; i++) total += Math.exp(x.data[row * size + i] - top);
      return top + Math.log(total) - score;
    });
    return float(out.shape, losses);
  },
  onnx(emit, [x, index]) {
    const last = emit.int64([-1]);
    const column = emit.node("Unsqueeze", [wholeIndex(emit, index, x), last]);
    const logProbs = emit.node("LogSoftmax", [x.name], { axis: -1 });
    const chosen = emit.node("GatherElements", [logProbs, column], { axis: x.rank - 1 });
    return emit.node("Squeeze", [emit.node("Neg", [chosen]), last]);
  },
  vjp: (g, _out, [x, index]) => [x.softmax().mul(g.unsqueeze(-1)).addAt(index, g.neg()), null],
  along: pick.along,
  rows: sameOnRows,
  scratch: true,
  ...ordinary,
};
