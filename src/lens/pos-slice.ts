/** Keeping only some positions of cached values. */
import type { Tensor } from "../graph/tensor.ts";
import { type AxisSlice, indicesOf } from "./axis-slice.ts";

/** One position (negative: from the end), a list, or from (inclusive) and to (exclusive). The axis stays. */
export type PosSlice = AxisSlice;

/** The axis of a value's positions: `pos`, or `query` for scores and patterns; `undefined` if it has none. */
export function posAxis({ axes }: Tensor): "pos" | "query" | undefined {
  return axes.includes("query") ? "query" : axes.includes("pos") ? "pos" : undefined;
}

/** The given positions along a value's position axis, which stays. */
export function slicePositions(value: Tensor, slice: PosSlice): Tensor {
  const axis = posAxis(value);
  if (!axis) return value;
  return value.at({ [axis]: indicesOf(slice, value.shape[value.axes.indexOf(axis)], axis) });
}
