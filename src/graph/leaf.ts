/** What a leaf may be made from. */
import { type DType, emptyData, type NDArray } from "../tensor/array.ts";
import { ArgumentError } from "../tensor/errors.ts";
import { keptOf } from "../tensor/kept.ts";
import { oneOf } from "../tensor/kinds.ts";
import { shown } from "../tensor/show.ts";

export const DTYPE = oneOf(["float32", "float64", "int32", "bool"] satisfies readonly DType[]);

/** What holds a dtype's numbers, by the name that it has in every realm. */
const STORED = {
  float32: "Float32Array",
  float64: "Float64Array",
  int32: "Int32Array",
  bool: "Uint8Array",
} as const satisfies Record<DType, string>;

/** @throws ArgumentError for anything but an array of numbers with a dtype and a shape */
export function checkArray(array: NDArray): void {
  if (keptOf(array)) return; // its numbers are made when they are read
  if (!ArrayBuffer.isView(array?.data) || !Array.isArray(array.shape) || !DTYPE.accepts(array.dtype)) {
    throw new ArgumentError(`A leaf is made from { dtype, shape, data }, not from ${shown(array)}.`, { asked: array });
  }
  const stored = array.data[Symbol.toStringTag];
  if (stored === STORED[array.dtype]) return;
  throw new ArgumentError(`Numbers of dtype ${array.dtype} must be in a ${STORED[array.dtype]}, not in a ${stored}.`, {
    asked: array.dtype,
    found: stored,
  });
}

/** One number, without axes. */
export function single(dtype: DType, value: number): NDArray {
  const data = emptyData(dtype, 1);
  data[0] = value;
  return { dtype, shape: [], data } as NDArray;
}
