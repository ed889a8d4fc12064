/** Running sums along an axis. */
import { ShapeError } from "../../tensor/errors.ts";
import { showShape } from "../axes.ts";
import { around, float } from "../kernels.ts";
import { type Op, ordinary } from "../op.ts";
import { onnxType } from "./cast.ts";
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
  onnx(emit, [x], { axis, reverse }) {
    // In double precision: of many numbers float32 would add up its rounding, and onnxruntime's WebGPU, which has no such numbers,
    // leaves this to the processor (its own kernel for float32 gives zeros).
    const wide = emit.node("Cast", [x.name], { to: onnxType.float64 });
    const sums = emit.node("CumSum", [wide, emit.int64([axis], [])], { reverse: +reverse });
    return emit.node("Cast", [sums], { to: onnxType[x.dtype === "float64" ? "float64" : "float32"] });
  },
  vjp: (g, _out, _inputs, { axis, reverse }) => [g.cumsum(axis, !reverse)],
  along: (axis, [x], attrs) => (axis === attrs.axis + x.shape.length ? undefined : [axis]),
  rows: sameOnRows,
  scratch: false,
  ...ordinary,
};
