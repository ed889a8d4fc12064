/** `fold_value_biases`: the values' biases move into the attention layer's own bias. */
import type { HookedTransformerConfig } from "../config.ts";
import type { WeightDraft } from "./draft.ts";
import { addProduct } from "./fold-norm.ts";

/**
 * `b_O[m] += sum over head and d_head of b_V[h,e] W_O[h,e,m]`, then `b_V = 0`. A pattern's rows sum to 1, so each position
 * gets the whole bias, wherever it attends; attention outputs stay what they were.
 */
export function foldValueBiases(draft: WeightDraft, config: HookedTransformerConfig): void {
  const rows = config.nHeads * config.dHead;
  for (let layer = 0; layer < config.nLayers; layer++) {
    const attn = `blocks.${layer}.attn`;
    const b_V = draft.edit(`${attn}.b_V`);
    const W_O = { data: draft.read(`${attn}.W_O`), offset: 0, rows, cols: config.dModel };
    addProduct(W_O, b_V, draft.edit(`${attn}.b_O`), 0);
    b_V.fill(0);
  }
}
