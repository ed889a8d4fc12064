/** The largest numbers and where they are, in one go. */
import { type NDArray, sizeOf } from "../../tensor/array.ts";
import { ShapeError } from "../../tensor/errors.ts";
import { type Meta, showShape } from "../axes.ts";
import { float } from "../kernels.ts";
import { type Op, ordinary } from "../op.ts";
import type { Value } from "../value.ts";
import { onnxType } from "./cast.ts";
import { sameOnRows } from "./rows.ts";

type TopKAttrs = { readonly k: number };

/**
 * The `k` largest along the last axis, the largest first and of equal ones the earlier, [... k]; and their indices, int32.
 * NaN counts as infinite, and comes out as it is.
 */
export const topK: Op<TopKAttrs> = {
  outputs: 2,
  infer([x], { k }, output): Meta {
    const size = x.shape.at(-1) ?? 0;
    if (!(Number.isInteger(k) && k >= 1 && k <= size)) {
      throw new ShapeError(
        `topK takes between 1 and ${size} of the numbers along the last axis of ${showShape(x)}, not ${k}.`,
        {
          asked: k,
          found: x.shape,
        },
      );
    }
    return {
      dtype: output === 0 ? x.dtype : "int32",
      shape: [...x.shape.slice(0, -1), k],
      axes: [...x.axes.slice(0, -1), ""],
    };
  },
  reference([x], { k }, out, output): NDArray {
    const size = x.shape[x.shape.length - 1];
    const comparable = (i: number) => (Number.isNaN(x.data[i]) ? Infinity : x.data[i]);
    const indices = new Int32Array(sizeOf(out.shape));
    for (let row = 0; row < indices.length / k; row++) {
      const start = row * size;
      const order = Array.from({ length: size }, (_, i) => i);
      // Not by their difference, as that of infinities is NaN. The sort is stable.
      order.sort((a, b) => {
        const [first, second] = [comparable(start + a), comparable(start + b)];
        return first === second ? 0 : first > second ? -1 : 1;
      });
      indices.set(order.slice(0, k), row * k);
    }
    if (output === 1) return { dtype: "int32", shape: out.shape, data: indices };
    const values = Float64Array.from(indices, (at, i) => x.data[Math.floor(i / k) * size + at]);
    return x.dtype === "int32"
      ? { dtype: "int32", shape: out.shape, data: Int32Array.from(values) }
      : float(out.shape, values);
  },
  onnx(emit, [x], { k }) {
    const isFloat = x.dtype === "float32" || x.dtype === "float64";
    const comparable = isFloat
      ? emit.node("Where", [emit.node("IsNaN", [x.name]), emit.float(Infinity), x.name])
      : x.name;
    const [, at] = emit.nodeOf(2, "TopK", [comparable, emit.int64([k])], { axis: -1, largest: 1, sorted: 1 });
    const values = emit.node("GatherElements", [x.name, at], { axis: x.rank - 1 });
    return [values, emit.node("Cast", [at], { to: onnxType.int32 })];
  },
  vjp(g, out, [x], { k }) {
    const indices = out.result(1);
    const column = (t: Value, i: number) => t.slice(-1, i, i + 1).squeeze(-1);
    let placed = x.constant(0).expandLike(x);
    for (let i = 0; i < k; i++) placed = placed.addAt(column(indices, i), column(g, i));
    return [placed];
  },
  along: (axis, _inputs, _attrs, out) => (axis === out.shape.length - 1 ? undefined : [axis]),
  rows: sameOnRows,
  scratch: true,
  ...ordinary,
};
