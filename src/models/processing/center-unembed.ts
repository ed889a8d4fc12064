/** `center_unembed`: logits have mean 0 over the vocabulary. */
import type { HookedTransformerConfig } from "../config.ts";
import { centerRows } from "./center.ts";
import type { WeightDraft } from "./draft.ts";

/**
 * `W_U` and `b_U` minus their means over d_vocab. Logits change by one number per position, which softmax ignores: log
 * probabilities and losses stay what they were.
 */
export function centerUnembed(draft: WeightDraft, config: HookedTransformerConfig): void {
  centerRows(draft.edit("unembed.W_U"), config.dVocabOut);
  centerRows(draft.edit("unembed.b_U"), config.dVocabOut);
}
