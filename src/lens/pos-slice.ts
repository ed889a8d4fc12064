/** Keeping only some positions of cached values. */
import type { Tensor } from "../graph/tensor.ts";

/** One position (negative: from the end), a list, or from (inclusive) and to (exclusive). The axis stays. */
export type PosSlice = number | readonly number[] | { readonly start?: number; readonly end?: number };

/** The given positions along a value's position axis: `pos`, or for scores and patterns `query`. */
export function slicePositions(value: Tensor, slice: PosSlice): Tensor {
  const axis = value.axes.includes("query") ? "query" : "pos";
  const size = value.shape[value.axes.indexOf(axis)];
  if (typeof slice === "number") return value.at({ [axis]: [slice] });
  if (Array.isArray(slice)) return value.at({ [axis]: slice });
  const { start = 0, end = size } = slice as { readonly start?: number; readonly end?: number };
  const from = start < 0 ? start + size : start;
  const to = end < 0 ? end + size : Math.min(end, size);
  return value.at({ [axis]: Array.from({ length: Math.max(to - from, 0) }, (_, i) => from + i) });
}
