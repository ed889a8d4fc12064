/** Where a run's tokens are. */
import { Tensor } from "../graph/tensor.ts";
import { ndarray } from "../tensor/array.ts";
import type { ForwardInputs } from "./forward-inputs.ts";
import type { Places } from "./parts/places.ts";
import { remembered } from "./remembered.ts";

/** Where a run's tokens are, as the caller says or as counted. */
export function placesOf(inputs: ForwardInputs, batch: number, pos: number, earlier: number): Places {
  const { positionIds, keyPositionIds, attentionMask } = inputs;
  const counted = () => positionLeaves(batch, pos, earlier, attentionMask);
  return {
    queries: () => positionIds ?? counted().queries,
    keys: () => keyPositionIds ?? counted().keys,
    kept: () => (positionIds ? undefined : counted().kept),
  };
}

/**
 * Position ids int32 [batch pos], of this run's tokens and of all keys, and which tokens are kept, bool [batch pos 1].
 * Positions are counted from the earlier ones on; with a mask only unmasked positions are counted.
 */
const positionLeaves = remembered((batch, pos, earlier, mask) => {
  const all = earlier + pos;
  const keys = new Int32Array(batch * all);
  const queries = new Int32Array(batch * pos);
  const kept = new Uint8Array(batch * pos).fill(1);
  for (let b = 0; b < batch; b++) {
    let seen = 0;
    for (let p = 0; p < all; p++) {
      const real = mask ? mask.data[b * all + p] : 1;
      seen += real;
      keys[b * all + p] = Math.max(seen - 1, 0);
      if (p < earlier) continue;
      queries[b * pos + p - earlier] = keys[b * all + p];
      kept[b * pos + p - earlier] = real;
    }
  }
  return {
    queries: Tensor.leaf(ndarray("int32", [batch, pos], queries), ["batch", "pos"]),
    keys: Tensor.leaf(ndarray("int32", [batch, all], keys), ["batch", "pos"]),
    kept: mask && Tensor.leaf(ndarray("bool", [batch, pos, 1], kept), ["batch", "pos", "d_model"]),
  };
});
