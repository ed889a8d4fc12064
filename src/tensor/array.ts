/**
 * Numbers in memory: a flat typed array, a dtype and a shape, in row-major order. Files are read into it, the engine
 * takes and returns it, and the reference kernels compute on it. Axis names live one layer up, on the graph's `Tensor`.
 */
import { ShapeError } from "./errors.ts";

/** `bool` is stored as one byte each, 0 or 1. `float64` exists only for the reference interpreter. */
export type DType = "float32" | "float64" | "int32" | "bool";

/** The typed array that stores a dtype. */
export type DataOf = {
  float32: Float32Array;
  float64: Float64Array;
  int32: Int32Array;
  bool: Uint8Array;
};
/** The typed array behind each dtype. */
export type TypedData = DataOf[DType];

/** A dense array: `data[i*stride + j]` with the last axis varying fastest. */
export interface NDArray<D extends DType = DType> {
  readonly dtype: D;
  readonly shape: readonly number[];
  readonly data: DataOf[D];
}

export function sizeOf(shape: readonly number[]): number {
  let n = 1;
  for (const s of shape) n *= s;
  return n;
}

/** Row-major strides, in elements. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let n = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = n;
    n *= shape[i];
  }
  return strides;
}

export function emptyData<D extends DType>(dtype: D, size: number): DataOf[D] {
  const make: { [K in DType]: (n: number) => DataOf[K] } = {
    float32: (n) => new Float32Array(n),
    float64: (n) => new Float64Array(n),
    int32: (n) => new Int32Array(n),
    bool: (n) => new Uint8Array(n),
  };
  return make[dtype](size);
}

/** An array made of these parts. @throws ShapeError if the data's length is not the product of the shape. */
export function ndarray<D extends DType>(dtype: D, shape: readonly number[], data: DataOf[D]): NDArray<D> {
  if (data.length !== sizeOf(shape)) {
    throw new ShapeError(
      `An array of shape [${shape}] holds ${sizeOf(shape)} numbers, but ${data.length} were given.`,
      {
        asked: shape,
        found: data.length,
      },
    );
  }
  return { dtype, shape, data };
}

export function zeros<D extends DType>(dtype: D, shape: readonly number[]): NDArray<D> {
  return { dtype, shape, data: emptyData(dtype, sizeOf(shape)) };
}
