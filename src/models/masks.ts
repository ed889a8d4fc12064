/** Which keys each query sees. */
import { Tensor } from "../graph/tensor.ts";
import { ndarray } from "../tensor/array.ts";
import { needMemory } from "../tensor/free-memory.ts";
import type { ForwardInputs } from "./forward-inputs.ts";
import type { Mask } from "./parts/attention.ts";
import { keptKeys } from "./parts/places.ts";
import { remembered } from "./remembered.ts";

/** The mask is made before the run is planned, so what would surely be refused then is refused now. @throws MemoryError */
export function needScores(heads: number, batch: number, queries: number, keys: number): void {
  needMemory({
    what: `Attention from ${queries} positions to ${keys} (in ${heads} heads of ${batch} rows)`,
    bytes: 4 * batch * heads * queries * keys,
    advice: "pass shorter texts, or fewer at a time",
  });
}

/**
 * Which keys each query sees: those not later than itself if causal, none further back than its window, and never padding.
 */
export function masks(
  causal: boolean,
  { attentionMask: padding, positionIds, keyPositionIds }: ForwardInputs,
  batch: number,
  pos: number,
  earlier: number,
): (window: number | null) => Mask {
  return (window) => {
    const ids = window !== null && positionIds ? keyPositionIds?.get(window) : undefined;
    if (ids) return withinWindow(positionIds!, ids, window!);
    const near = window !== null && window < earlier + pos ? window : null;
    if (!causal) return padding?.unsqueeze(1).unsqueeze(1).rename(["batch", "head", "query", "key"]);
    if (pos === 1 && !padding && near === null) return undefined; // the last query sees every key
    return causalMask(padding ? batch : 1, pos, earlier, padding, near);
  };
}

/** The same from positions that vary from run to run: bool [batch 1 query key], true for the `window` keys up to the query. */
function withinWindow(queries: Tensor, keys: Tensor, window: number): Tensor {
  const query = queries.unsqueeze(1).unsqueeze(-1).rename(["batch", "head", "query", "key"]);
  const key = keys.unsqueeze(1).unsqueeze(1).rename(["batch", "head", "query", "key"]);
  return key.lessThan(query.add(1)).and(query.sub(window).lessThan(key));
}

const causalMask = remembered((rows, pos, earlier, padding, window): Tensor => {
  const all = earlier + pos;
  const keys = keptKeys(window, earlier) + pos;
  const data = new Uint8Array(rows * pos * keys);
  for (let b = 0, at = 0; b < rows; b++) {
    for (let q = earlier; q < all; q++) {
      for (let k = all - keys; k < all; k++) {
        const seen = k <= q && (window === null || k > q - window);
        data[at++] = +(seen && (!padding || padding.data[b * all + k] === 1));
      }
    }
  }
  if (!padding) return Tensor.leaf(ndarray("bool", [pos, keys], data), ["query", "key"]);
  return Tensor.leaf(ndarray("bool", [rows, 1, pos, keys], data), ["batch", "head", "query", "key"]);
});
