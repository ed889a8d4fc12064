/** Loops shared by the reference kernels. Clarity first: nothing here runs in the product. */
import { type NDArray, sizeOf, stridesOf } from "../tensor/array.ts";

export function float(shape: readonly number[], data = new Float64Array(sizeOf(shape))): NDArray<"float64"> {
  return { dtype: "float64", shape, data };
}

/** Flat offsets into `array` of every element of `shape`, which `array` broadcasts to (aligned from the right). */
export function offsets(array: NDArray, shape: readonly number[]): Int32Array {
  const own = stridesOf(array.shape);
  const lead = shape.length - array.shape.length;
  const strides = shape.map((_, i) => (i < lead || array.shape[i - lead] === 1 ? 0 : own[i - lead]));
  return strided(shape, strides);
}

/** Flat offsets of every element of `shape` under the given strides, in row-major order. */
export function strided(shape: readonly number[], strides: readonly number[]): Int32Array {
  const out = new Int32Array(sizeOf(shape));
  const index = new Array<number>(shape.length).fill(0);
  let at = 0;
  for (let i = 0; i < out.length; i++) {
    out[i] = at;
    for (let d = shape.length - 1; d >= 0; d--) {
      at += strides[d];
      if (++index[d] < shape[d]) break;
      at -= strides[d] * shape[d];
      index[d] = 0;
    }
  }
  return out;
}

/** `f` on corresponding elements of broadcast inputs. */
export function mapElements(
  shape: readonly number[],
  inputs: readonly NDArray[],
  data: Float64Array | Int32Array | Uint8Array,
  f: (...values: number[]) => number,
): void {
  const at = inputs.map((x) => offsets(x, shape));
  for (let i = 0; i < data.length; i++) data[i] = f(...inputs.map((x, k) => x.data[at[k][i]]));
}

/** Splits a shape around one axis: elements before, along and after it. */
export function around(shape: readonly number[], axis: number): { outer: number; size: number; inner: number } {
  return { outer: sizeOf(shape.slice(0, axis)), size: shape[axis], inner: sizeOf(shape.slice(axis + 1)) };
}
