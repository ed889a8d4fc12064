/** The largest value of a graph, in words: what to make smaller if a run does not fit. */
import { sizeOf } from "../tensor/array.ts";
import { showBytes } from "../tensor/free-memory.ts";
import { showShape } from "./axes.ts";
import { weightLayouts } from "./layouts.ts";
import { selectEarly } from "./rewrite/select.ts";
import type { Tensor } from "./tensor.ts";
import { topological } from "./walk.ts";

/** Bytes in which the runtime holds a number; truth values take less, positions in an axis more. */
export const NUMBER_BYTES = 4;

/** The largest value that a run makes, in words: "[batch 8, pos 1024, d_vocab 50257] alone is 1.65 GB". */
export function largestValue(requested: readonly Tensor[]): string {
  let largest: Tensor | undefined;
  const order = topological(selectEarly(requested));
  const fixed = weightLayouts(order);
  for (const t of order) {
    if (t.op !== null && !fixed.has(t) && !(largest && sizeOf(largest.shape) >= sizeOf(t.shape))) largest = t;
  }
  return largest ? `${showShape(largest)} alone is ${showBytes(NUMBER_BYTES * sizeOf(largest.shape))}` : "";
}
