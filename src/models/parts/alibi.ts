/** ALiBi: the further back a key is, the less a query attends to it, in each head by its own slope. */
import { Tensor } from "../../graph/tensor.ts";
import { ndarray } from "../../tensor/array.ts";
import type { Places } from "./places.ts";

/** A kind of ALiBi positions. */
export interface AlibiKind {
  /** By how much a score falls with each position, [head]. */
  readonly slopes: readonly number[];
}

/** The usual slopes, `2^(-8 (i + 1) / heads)` of head i. */
export function alibiSlopes(heads: number): readonly number[] {
  return Array.from({ length: heads }, (_, i) => 2 ** ((-8 * (i + 1)) / heads));
}

/**
 * `slope · min(key's position - query's position, 0)`, [batch head query key]: what is added to the scores.
 * @param window how far back the layer sees; null: to the beginning
 *
 * Source: Press et al. 2021, arXiv 2108.12409; TransformerLens' `create_alibi_bias`.
 */
export function alibi(kind: AlibiKind, places: Places, window: number | null): Tensor {
  const bare = ["", "", ""];
  const key = places.keys(window).unsqueeze(-2).rename(bare);
  const query = places.queries().unsqueeze(-1).rename(bare);
  const distance = key.sub(query).cast("float32").minimum(0);
  const bias = distance.unsqueeze(1).mul(slopesOf(kind));
  return bias.rename(["batch", "head", "query", "key"]);
}

const leaves = new WeakMap<AlibiKind, Tensor>();

/** The slopes as [head 1 1]; the same leaf in every pass. */
function slopesOf(kind: AlibiKind): Tensor {
  const { slopes } = kind;
  const leaf =
    leaves.get(kind) ??
    Tensor.leaf(ndarray("float32", [slopes.length, 1, 1], Float32Array.from(slopes)), ["head", "", ""], "weight");
  leaves.set(kind, leaf);
  return leaf;
}
