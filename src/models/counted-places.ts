/** Where a run's tokens are. */
import { Tensor } from "../graph/tensor.ts";
import { ndarray } from "../tensor/array.ts";
import type { ForwardInputs } from "./forward-inputs.ts";
import { keptKeys, type Places } from "./parts/places.ts";
import { remembered } from "./remembered.ts";

/** Where a run's tokens are, as the caller says or as counted. */
export function placesOf(inputs: ForwardInputs, batch: number, pos: number, earlier: number): Places {
  const { positionIds, keyPositionIds, attentionMask } = inputs;
  const counted = (window: number | null) => positionLeaves(batch, pos, earlier, attentionMask, window);
  return {
    queries: () => positionIds ?? counted(null).queries,
    keys: (window) => keyPositionIds?.get(window) ?? counted(isWithin(window, earlier) ? window : null).keys,
    kept: () => (positionIds ? undefined : counted(null).kept),
  };
}

/** Whether a layer with this window keeps fewer keys than there are earlier positions. */
const isWithin = (window: number | null, earlier: number): boolean => keptKeys(window, earlier) < earlier;

/**
 * Position ids int32 [batch pos], of this run's tokens and of the keys that a window leaves, and which tokens are kept, bool [batch pos 1].
 * Positions are counted from the earlier ones on; with a mask only unmasked positions are counted.
 */
const positionLeaves = remembered((batch, pos, earlier, mask, window) => {
  const all = earlier + pos;
  const count = keptKeys(window, earlier) + pos;
  const keys = new Int32Array(batch * count);
  const queries = new Int32Array(batch * pos);
  const kept = new Uint8Array(batch * pos).fill(1);
  for (let b = 0; b < batch; b++) {
    let seen = 0;
    for (let p = 0; p < all; p++) {
      const real = mask ? mask.data[b * all + p] : 1;
      seen += real;
      const id = Math.max(seen - 1, 0);
      if (p >= all - count) keys[b * count + p - (all - count)] = id;
      if (p < earlier) continue;
      queries[b * pos + p - earlier] = id;
      kept[b * pos + p - earlier] = real;
    }
  }
  return {
    queries: Tensor.leaf(ndarray("int32", [batch, pos], queries), ["batch", "pos"]),
    keys: Tensor.leaf(ndarray("int32", [batch, count], keys), ["batch", "pos"]),
    kept: mask && Tensor.leaf(ndarray("bool", [batch, pos, 1], kept), ["batch", "pos", "d_model"]),
  };
});
