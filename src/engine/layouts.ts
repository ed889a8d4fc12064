/** New layouts of weights, kept next to the weight for as long as it lives. */
import type { Tensor } from "../graph/tensor.ts";
import type { NDArray } from "../tensor/array.ts";
import { keeper, layoutKey } from "./layout.ts";

/** Bytes always kept next to a weight. */
const ALWAYS_BYTES = 64e6;
/** Beyond that, this many times what the weight and the largest of its layouts take together. */
const TIMES = 4;

/**
 * Layouts by the weight they were made from and how. A model's own are a few for each weight; parts cut from one in ever
 * new places would never end, so those unused for longest go.
 */
export class Layouts {
  private readonly beside = new WeakMap<object, Map<string, NDArray>>();

  get(source: Tensor): NDArray | undefined {
    const known = this.beside.get(keeper(source));
    const key = layoutKey(source);
    const array = known?.get(key);
    if (known && array) {
      known.delete(key); // set again, so that the map is in order of last use
      known.set(key, array);
    }
    return array;
  }

  keep(source: Tensor, array: NDArray): void {
    const weight = keeper(source) as NDArray["data"];
    const known = this.beside.get(weight) ?? new Map<string, NDArray>();
    this.beside.set(weight, known);
    known.set(layoutKey(source), array);
    let bytes = 0;
    let largest = 0;
    for (const { data } of known.values()) {
      bytes += data.byteLength;
      largest = Math.max(largest, data.byteLength);
    }
    const most = ALWAYS_BYTES + TIMES * (weight.byteLength + largest);
    for (const [key, { data }] of known) {
      if (bytes <= most) return;
      known.delete(key);
      bytes -= data.byteLength;
    }
  }
}
