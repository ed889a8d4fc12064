/** `refactor_factored_attn_matrices`: heads are written in the bases of their own singular vectors. */
import type { Columns } from "../../tensor/columns.ts";
import { ConfigError } from "../../tensor/errors.ts";
import { svdOfProduct } from "../../tensor/thin-svd.ts";
import type { Recording } from "../recording.ts";
import type { AttentionWeights } from "../structure.ts";
import type { WeightDraft } from "./draft.ts";
import { foldValueBiases } from "./fold-value-biases.ts";

/**
 * Per head, with the biases as one more row of d_model:
 *
 *     [W_Q; b_Q] [W_K; b_K]ᵀ = U S Vᵀ;   [W_Q; b_Q] = U sqrt(S),  [W_K; b_K] = V sqrt(S)
 *     b_O += b_V W_O,  b_V = 0;   W_V W_O = U S Vᵀ;   W_V = U S,  W_O = Vᵀ
 *
 * Scores, patterns and what heads write stay the same. Queries, keys, values and `z` do not: their d_head axis is
 * sorted by singular value now, and the sign of each entry is arbitrary.
 *
 * @throws ConfigError for queries and keys that are normed or rotated, so that the product of their matrices is not everything;
 * and for shared keys and values, which cannot be written in the bases of several heads.
 */
export function refactorFactoredAttnMatrices(draft: WeightDraft, recording: Recording): void {
  const { attentions } = recording.structure;
  const changed = attentions.find(({ between }) => between.length > 0);
  if (changed) {
    const what = changed.between.join(" and ");
    throw new ConfigError(
      `refactor_factored_attn_matrices does not work with ${what}: they change queries and keys before the product.`,
      { asked: "refactor_factored_attn_matrices", found: what },
    );
  }
  const shared = attentions.find(({ weights }) => weights.W_K.shape[0] !== weights.W_Q.shape[0]);
  if (shared) {
    const [heads, groups] = [shared.weights.W_Q.shape[0], shared.weights.W_K.shape[0]];
    throw new ConfigError(
      `refactor_factored_attn_matrices does not work with shared keys and values: ${groups} serve ${heads} heads, each of which would need its own.`,
      { asked: "refactor_factored_attn_matrices", found: groups },
    );
  }
  if (attentions.some(({ sumsToOne }) => !sumsToOne)) {
    throw new ConfigError(
      "refactor_factored_attn_matrices does not work with sinks: values' biases, of which each position gets a share then, cannot be folded.",
      { asked: "refactor_factored_attn_matrices", found: "sinks" },
    );
  }
  foldValueBiases(draft, recording);
  for (const { weights } of attentions) {
    for (let head = 0; head < weights.W_Q.shape[0]; head++) {
      refactorScores(draft, weights, head);
      refactorOutput(draft, weights, head);
    }
  }
}

function refactorScores(draft: WeightDraft, weights: AttentionWeights, head: number): void {
  const [, dModel, dHead] = weights.W_Q.shape;
  const matrices = [
    [weights.W_Q, weights.b_Q],
    [weights.W_K, weights.b_K],
  ];
  const parts = matrices.map(([matrix, bias]) => {
    const W = draft.edit(matrix.label!).subarray(head * dModel * dHead, (head + 1) * dModel * dHead);
    const b = draft.edit(bias.label!).subarray(head * dHead, (head + 1) * dHead);
    return { W, b };
  });
  const [query, key] = parts.map(({ W, b }) => {
    const columns = new Float64Array((dModel + 1) * dHead);
    for (let e = 0; e < dHead; e++) {
      for (let m = 0; m < dModel; m++) columns[e * (dModel + 1) + m] = W[m * dHead + e];
      columns[e * (dModel + 1) + dModel] = b[e];
    }
    return { rows: dModel + 1, cols: dHead, data: columns };
  });
  const { u, s, v } = svdOfProduct(query, key);
  [u, v].forEach((vectors, i) => {
    const { W, b } = parts[i];
    for (let e = 0; e < dHead; e++) {
      const root = Math.sqrt(s[e]);
      for (let m = 0; m < dModel; m++) W[m * dHead + e] = vectors.data[e * (dModel + 1) + m] * root;
      b[e] = vectors.data[e * (dModel + 1) + dModel] * root;
    }
  });
}

function refactorOutput(draft: WeightDraft, weights: AttentionWeights, head: number): void {
  const [, dModel, dHead] = weights.W_V.shape;
  const size = dModel * dHead;
  const W_V = draft.edit(weights.W_V.label!).subarray(head * size, (head + 1) * size);
  const W_O = draft.edit(weights.W_O.label!).subarray(head * size, (head + 1) * size);
  const values: Columns = { rows: dModel, cols: dHead, data: new Float64Array(size) };
  for (let e = 0; e < dHead; e++) {
    for (let m = 0; m < dModel; m++) values.data[e * dModel + m] = W_V[m * dHead + e];
  }
  // W_O is [d_head, d_model]: its rows are the columns of its transpose already.
  const { u, s, v } = svdOfProduct(values, { rows: dModel, cols: dHead, data: Float64Array.from(W_O) });
  for (let e = 0; e < dHead; e++) {
    for (let m = 0; m < dModel; m++) W_V[m * dHead + e] = u.data[e * dModel + m] * s[e];
  }
  W_O.set(v.data);
}
