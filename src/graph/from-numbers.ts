/** Tensors from numbers that a caller writes down. */
import { type DType, emptyData, ndarray, type TypedData } from "../tensor/array.ts";
import { ShapeError } from "../tensor/errors.ts";
import { Tensor } from "./tensor.ts";

type Nested = number | boolean | readonly Nested[];

/**
 * A leaf from numbers: nested arrays, or typed data with a shape. Integers stay floats unless `dtype` says otherwise.
 * @throws ShapeError if nested arrays are ragged, or data and shape disagree.
 */
export function tensor(
  values: Nested | TypedData,
  options: { readonly axes?: readonly string[]; readonly shape?: readonly number[]; readonly dtype?: DType } = {},
): Tensor {
  const flat: number[] = [];
  const shape: number[] = [];
  if (ArrayBuffer.isView(values)) {
    const natural: DType =
      values instanceof Int32Array
        ? "int32"
        : values instanceof Uint8Array
          ? "bool"
          : values instanceof Float64Array
            ? "float64"
            : "float32";
    const dtype = options.dtype ?? (natural === "float64" ? "float32" : natural);
    const data = dtype === natural ? values : fill(dtype, values);
    return Tensor.leaf(ndarray(dtype, options.shape ?? [values.length], data as never), options.axes);
  }
  const walk = (v: Nested, depth: number): void => {
    if (typeof v === "number" || typeof v === "boolean") {
      if (depth !== shape.length) ragged(shape);
      flat.push(+v);
      return;
    }
    if (shape[depth] === undefined && flat.length === 0) shape[depth] = v.length;
    else if (shape[depth] !== v.length) ragged(shape);
    for (const x of v) walk(x, depth + 1);
  };
  walk(values, 0);
  const boolean = typeof [values].flat(Infinity as 1)[0] === "boolean";
  const dtype = options.dtype ?? (boolean ? "bool" : "float32");
  return Tensor.leaf(ndarray(dtype, options.shape ?? shape, fill(dtype, flat) as never), options.axes);
}

function fill(dtype: DType, values: ArrayLike<number>): TypedData {
  const data = emptyData(dtype, values.length);
  data.set(values as ArrayLike<number> & ArrayLike<never>);
  return data;
}

function ragged(shape: readonly number[]): never {
  throw new ShapeError(`Nested arrays must be of equal length at each depth; the first ones make shape [${shape}].`, {
    found: shape,
  });
}
