/** From one dtype to another: floats are truncated to integers, anything but zero is true. */
import { type DType, sizeOf } from "../../tensor/array.ts";
import { float } from "../kernels.ts";
import { no, type Op } from "../op.ts";
import { sameOnRows } from "./rows.ts";

/** ONNX's numbers for our dtypes (TensorProto.DataType). */
export const onnxType: Record<DType, number> = { float32: 1, int32: 6, bool: 9, float64: 11 };

export const cast: Op<{ readonly to: DType }> = {
  outputs: 1,
  infer: ([x], { to }) => ({ ...x, dtype: to }),
  reference([x], { to }) {
    const size = sizeOf(x.shape);
    if (to === "int32") return { dtype: to, shape: x.shape, data: Int32Array.from(x.data as ArrayLike<number>) };
    if (to === "bool")
      return { dtype: to, shape: x.shape, data: Uint8Array.from({ length: size }, (_, i) => +(x.data[i] !== 0)) };
    return float(x.shape, Float64Array.from(x.data as ArrayLike<number>));
  },
  onnx: (emit, [x], { to }) => emit.node("Cast", [x.name], { to: onnxType[to] }),
  vjp: (g, _out, [x], { to }) => [x.dtype.startsWith("float") && to.startsWith("float") ? g.cast(x.dtype) : null],
  along: (axis) => [axis],
  rows: sameOnRows,
  selection: no,
  view: no,
  layout: null,
  scratch: false,
  names: {},
  phrase: ({ to }) => `a cast to ${to}`,
};
