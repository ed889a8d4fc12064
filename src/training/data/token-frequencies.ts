/** How well a text can be predicted from how often each token occurs: what a language model has to beat. */
import type { NDArray } from "../../tensor/array.ts";

/**
 * The mean next-token loss, in nats, of predicting each token with its share of the predicted tokens (all but the first of a row) in
 * `counted`, with 1 added to each count: `-mean log((count + 1) / (tokens + d_vocab))` over those of `rows`.
 */
export function tokenFrequencyLoss(counted: NDArray<"int32">, rows: NDArray<"int32">, dVocab: number): number {
  const counts = new Float64Array(dVocab).fill(1);
  const seen = forEachPredicted(counted, (id) => counts[id]++);
  let sum = 0;
  const predicted = forEachPredicted(rows, (id) => {
    sum -= Math.log(counts[id] / (seen + dVocab));
  });
  return sum / predicted;
}

function forEachPredicted({ shape: [rows, pos], data }: NDArray<"int32">, f: (id: number) => void): number {
  for (let i = 0; i < rows * pos; i++) if (i % pos !== 0) f(data[i]);
  return rows * (pos - 1);
}
