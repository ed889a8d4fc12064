/** `center_unembed`: logits have mean 0 over the vocabulary. */
import type { Recording } from "../recording.ts";
import { centerRows } from "./center.ts";
import type { WeightDraft } from "./draft.ts";

/**
 * `W_U` and `b_U`, the weights that make logits, minus their means over d_vocab. Logits change by one number per position,
 * which softmax ignores: log probabilities and losses stay what they were.
 */
export function centerUnembed(draft: WeightDraft, { weights }: Recording): void {
  for (const { name, axes, shape } of weights.values()) {
    if (axes.at(-1) === "d_vocab") centerRows(draft.edit(name), shape.at(-1)!);
  }
}
