/** Running sums along an axis. */
import { ShapeError } from "../../tensor/errors.ts";
import { showShape } from "../axes.ts";
import { around, float } from "../kernels.ts";
import { type Op, ordinary } from "../op.ts";
import { sameOnRows } from "./rows.ts";

/**
 * Along one axis, the sum of each number and all before it; with `reverse`, of it and all after it. (The product with a
 * triangle of ones would be the square of the axis, and NaN wherever an axis holds one infinity.)
 */
export const cumsum: Op<{ readonly axis: number; readonly reverse: boolean }> = {
  outputs: 1,
  infer([x]) {
    if (x.dtype !== "float32" && x.dtype !== "float64") {
      throw new ShapeError(`cumsum takes float32 values, but got ${x.dtype} ${showShape(x)}.`, { found: x.dtype });
    }
    return { dtype: x.dtype, shape: x.shape, axes: x.axes };
  },
  reference([x], { axis, reverse }, out) {
    const { outer, size, inner } = around(x.shape, axis + x.shape.length);
    const result = float(out.shape);
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < inner; i++) {
        let sum = 0;
        for (let k = 0; k < size; k++) {
          const at = (o * size + (reverse ? size - 1 - k : k)) * inner + i;
          sum += x.data[at];
          result.data[at] = sum;
        }
      }
    }
    return result;
  },
  onnx: (emit, [x], { axis, reverse }) => emit.node("CumSum", [x.name, emit.int64([axis], [])], { reverse: +reverse }),
  vjp: (g, _out, _inputs, { axis, reverse }) => [g.cumsum(axis, !reverse)],
  along: (axis, [x], attrs) => (axis === attrs.axis + x.shape.length ? undefined : [axis]),
  rows: sameOnRows,
  scratch: false,
  ...ordinary,
};
