/** Which features of many are worth having: those with the most influence on the logits, as far as their edges are known. */
import type { SparseRow } from "./sparse.ts";

/** A target whose edges are known. */
export interface KnownRow {
  /** The source that it is itself; `undefined` for a logit. */
  readonly source: number | undefined;
  /** What a logit counts for; 0 for features. */
  readonly weight: number;
  readonly edges: SparseRow;
}

/** The least that a row is divided by. */
const LEAST_SUM = 1e-8;

/**
 * The influence of each source on the logits along known rows: as `nodeInfluence`, where targets whose edges are not known pass
 * nothing on.
 * @param rows each before the rows of its sources: logits, then features from the last layer to the first
 */
export function influenceSoFar(rows: readonly KnownRow[], sources: number): Float64Array {
  const influence = new Float64Array(sources);
  for (const { source, weight, edges } of rows) {
    const counts = source === undefined ? weight : influence[source];
    if (counts === 0) continue;
    const { columns, values } = edges;
    let sum = 0;
    for (let i = 0; i < values.length; i++) sum += Math.abs(values[i]);
    const each = counts / Math.max(sum, LEAST_SUM);
    for (let i = 0; i < values.length; i++) influence[columns[i]] += each * Math.abs(values[i]);
  }
  return influence;
}

/** The `count` candidates with the most influence, the first of equals first. */
export function mostInfluential(influence: Float64Array, candidates: readonly number[], count: number): number[] {
  return [...candidates].sort((a, b) => influence[b] - influence[a] || a - b).slice(0, count);
}
