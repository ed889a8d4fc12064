/** What the scan of heads remembers of each. */
import { Counts } from "../summaries/counts.ts";
import { GridSums } from "../summaries/grid-sums.ts";

/** Where a head can look: the share of its attention on such keys is its score. */
export const LOOKS = ["previous", "bos", "duplicate", "induction"] as const;
export type Look = (typeof LOOKS)[number];

/** What is measured of each head: its attention on such keys, and the entropy of all of it. */
export const MEASURES = [...LOOKS, "entropy"] as const;

export interface HeadsSummaries {
  /** For each of `MEASURES`, how many queries have such keys. */
  readonly queries: Counts;
  /** For each of `MEASURES`, the sum over these queries for attention that is the same on all keys. */
  readonly uniform: GridSums;
  /** For each head, layer by layer, the sum of each of `MEASURES`. */
  readonly sums: GridSums;
}

export function emptyHeads(heads: number): HeadsSummaries {
  return {
    queries: new Counts(MEASURES.length),
    uniform: new GridSums(MEASURES.length),
    sums: new GridSums(heads * MEASURES.length),
  };
}
