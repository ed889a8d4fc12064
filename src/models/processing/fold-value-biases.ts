/** `fold_value_biases`: the values' biases move into the attention layer's own bias. */
import type { Recording } from "../recording.ts";
import type { WeightDraft } from "./draft.ts";
import { addProduct } from "./fold-norm.ts";

/**
 * `b_O[m] += sum over head and d_head of b_V[h,e] W_O[h,e,m]`, then `b_V = 0`. A pattern's rows sum to 1, so each position
 * gets the whole bias, wherever it attends; attention outputs stay what they were. Shared values are of each head that they
 * serve.
 */
export function foldValueBiases(draft: WeightDraft, { structure }: Recording): void {
  for (const { weights } of structure.attentions) {
    const [heads, d_head, cols] = weights.W_O.shape;
    const b_V = draft.edit(weights.b_V.label!);
    const served = (heads * d_head) / b_V.length;
    const ofHeads = new Float32Array(heads * d_head);
    for (let head = 0; head < heads; head++) {
      const from = Math.floor(head / served) * d_head;
      ofHeads.set(b_V.subarray(from, from + d_head), head * d_head);
    }
    const W_O = { data: draft.read(weights.W_O.label!), offset: 0, rows: heads * d_head, cols };
    addProduct(W_O, ofHeads, draft.edit(weights.b_O.label!), 0);
    b_V.fill(0);
  }
}
