/** Relative positions in buckets: what is added to each score depends on how far the key is from the query. */
import { Tensor } from "../../graph/tensor.ts";
import { ndarray } from "../../tensor/array.ts";
import type { Scope } from "../scope.ts";

/** A kind of relative positions. */
export interface RelativeKind {
  readonly buckets: number;
  /** From how far on all distances are in the last bucket. */
  readonly maxDistance: number;
  /** Whether later keys have buckets of their own; otherwise they are all at distance 0. */
  readonly bothWays: boolean;
  readonly heads: number;
}

/** Names of relative positions, within an attention layer. */
export interface RelativeNames {
  readonly weight: never;
  readonly point: "rel_pos_hook";
}

/**
 * `bias[head, query, key] = W[bucket(key - query), head]`, [batch 1, head, query, key], which all layers of a stack add to
 * their scores; its weight and its point belong to the first. With n buckets for the distances of one direction (half of all
 * if both ways), the first n/2 have one distance each, and the others grow:
 * ```
 * bucket(d) = d                                                              for d < n/2
 * bucket(d) = min(n/2 + floor(log(d / (n/2)) / log(maxDistance / (n/2)) · n/2), n - 1)
 * ```
 * Hook point: `rel_pos_hook`, which TransformerLens has and never calls. Source: Raffel et al. 2019, arXiv 1910.10683;
 * TransformerLens' `T5Attention`.
 * @param earlier how many keys come before the first query
 */
export function relativeBias(
  kind: RelativeKind,
  queries: number,
  earlier: number,
  keys: number,
  scope: Scope<RelativeNames>,
): Tensor {
  const W = scope.part("rel_pos_bias").weight("weight", { bucket: kind.buckets, head: kind.heads }, "drawn");
  const rows = W.gather(-2, bucketLeaf(kind, queries, earlier, keys));
  return scope.point("rel_pos_hook", rows.permute([2, 0, 1]).unsqueeze(0, "batch"));
}

/** The bucket of a distance, the key's position minus the query's, to float32's rounding as in transformers. */
export function bucketOf(kind: Omit<RelativeKind, "heads">, distance: number): number {
  const { buckets, maxDistance, bothWays } = kind;
  const count = bothWays ? Math.floor(buckets / 2) : buckets;
  const first = bothWays && distance > 0 ? count : 0;
  const far = bothWays ? Math.abs(distance) : Math.max(-distance, 0);
  const exact = Math.floor(count / 2);
  if (far < exact) return first + far;
  const log = (x: number) => Math.fround(Math.log(x));
  const share = Math.fround(log(Math.fround(far / exact)) / log(maxDistance / exact));
  return first + Math.min(exact + Math.trunc(Math.fround(share * (count - exact))), count - 1);
}

const leaves = new WeakMap<RelativeKind, Map<string, Tensor>>();

/** int32 [query key]; the same leaf for the same sizes. */
function bucketLeaf(kind: RelativeKind, queries: number, earlier: number, keys: number): Tensor {
  const known = leaves.get(kind) ?? new Map<string, Tensor>();
  leaves.set(kind, known);
  const name = `${queries} ${earlier} ${keys}`;
  const found = known.get(name);
  if (found) return found;
  const data = new Int32Array(queries * keys);
  for (let q = 0; q < queries; q++) {
    for (let k = 0; k < keys; k++) data[q * keys + k] = bucketOf(kind, k - (earlier + q));
  }
  const leaf = Tensor.leaf(ndarray("int32", [queries, keys], data), ["query", "key"]);
  if (known.size >= 16) known.delete(known.keys().next().value!);
  known.set(name, leaf);
  return leaf;
}
