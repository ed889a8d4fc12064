/** The largest numbers and where they are, in one go; and which they are. */
import { type NDArray, sizeOf } from "../../tensor/array.ts";
import { ShapeError } from "../../tensor/errors.ts";
import { type Meta, showShape } from "../axes.ts";
import { float } from "../kernels.ts";
import { type Emitter, type Op, type Operand, ordinary } from "../op.ts";
import { onnxType } from "./cast.ts";
import { infiniteForNan, withoutNan } from "./not-finite.ts";
import { sameOnRows } from "./rows.ts";

type TopKAttrs = { readonly k: number };

/** @throws ShapeError unless an axis has that many numbers, and there are rows: without one the runtime ends the process */
function requireCount(what: string, x: Meta, k: number): void {
  const size = x.shape.at(-1) ?? 0;
  if (size > 0 && sizeOf(x.shape) === 0) {
    throw new ShapeError(`${what} needs a row to take numbers from, and ${showShape(x)} has none.`, {
      asked: k,
      found: x.shape,
    });
  }
  if (Number.isInteger(k) && k >= 1 && k <= size) return;
  throw new ShapeError(
    `${what} takes between 1 and ${size} of the numbers along the last axis of ${showShape(x)}, not ${k}.`,
    { asked: k, found: x.shape },
  );
}

/** Where the `k` largest of each row are, the largest first and of equal ones the earlier; NaN counts as infinite. */
function largestOf(x: NDArray, k: number): Int32Array {
  const size = x.shape[x.shape.length - 1];
  const comparable = (i: number) => (Number.isNaN(x.data[i]) ? Infinity : x.data[i]);
  const indices = new Int32Array((sizeOf(x.shape) / size) * k);
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
  return indices;
}

/** The same in ONNX, in order or not, int64. */
function emitLargest(emit: Emitter, x: Operand, k: number, sorted: 0 | 1): string {
  const of = (value: string) => emit.nodeOf(2, "TopK", [value, emit.int64([k])], { axis: -1, largest: 1, sorted })[1];
  const [fast, exact] = [() => of(x.name), () => of(infiniteForNan(emit, x.name))];
  return x.dtype === "float32" ? withoutNan(emit, x, "int64", { fast, exact }) : fast();
}

/**
 * The `k` largest along the last axis, the largest first and of equal ones the earlier, [... k]; and their indices, int32.
 * NaN counts as infinite, and comes out as it is.
 */
export const topK: Op<TopKAttrs> = {
  outputs: 2,
  infer([x], { k }, output): Meta {
    requireCount("topK", x, k);
    return {
      dtype: output === 0 ? x.dtype : "int32",
      shape: [...x.shape.slice(0, -1), k],
      axes: [...x.axes.slice(0, -1), ""],
    };
  },
  reference([x], { k }, out, output): NDArray {
    const size = x.shape[x.shape.length - 1];
    const indices = largestOf(x, k);
    if (output === 1) return { dtype: "int32", shape: out.shape, data: indices };
    const values = Float64Array.from(indices, (at, i) => x.data[Math.floor(i / k) * size + at]);
    return x.dtype === "int32"
      ? { dtype: "int32", shape: out.shape, data: Int32Array.from(values) }
      : float(out.shape, values);
  },
  onnx(emit, [x], { k }) {
    const at = emitLargest(emit, x, k, 1);
    const values = emit.node("GatherElements", [x.name, at], { axis: x.rank - 1 });
    return [values, emit.node("Cast", [at], { to: onnxType.int32 })];
  },
  vjp: (g, out, [x]) => [x.placeEachLike(out.result(1), g)],
  along: (axis, _inputs, _attrs, out) => (axis === out.shape.length - 1 ? undefined : [axis]),
  rows: sameOnRows,
  scratch: true,
  ...ordinary,
};

/** Which numbers are among the `k` largest along the last axis, bool in the shape of x: `k` a row, of equal ones the earlier. */
export const isTopK: Op<TopKAttrs> = {
  outputs: 1,
  infer([x], { k }): Meta {
    requireCount("isTopK", x, k);
    return { ...x, dtype: "bool" };
  },
  reference([x], { k }, out): NDArray {
    const size = x.shape[x.shape.length - 1];
    const data = new Uint8Array(sizeOf(out.shape));
    largestOf(x, k).forEach((at, i) => {
      data[Math.floor(i / k) * size + at] = 1;
    });
    return { dtype: "bool", shape: out.shape, data };
  },
  onnx(emit, [x], { k }) {
    const at = emitLargest(emit, x, k, 0);
    const none = emit.node("Expand", [emit.float(0), emit.node("Shape", [x.name])]);
    const ones = emit.node("Expand", [emit.float(1), emit.node("Shape", [at])]);
    const placed = emit.node("ScatterElements", [none, at, ones], { axis: x.rank - 1 });
    return emit.node("Cast", [placed], { to: onnxType.bool });
  },
  vjp: () => [null],
  along: (axis, _inputs, _attrs, out) => (axis === out.shape.length - 1 ? undefined : [axis]),
  rows: sameOnRows,
  scratch: true,
  ...ordinary,
};
