/** `center_writing_weights`: all that is written to the residual stream has mean 0 over d_model. */
import type { Tensor } from "../../graph/tensor.ts";
import { centerRows } from "./center.ts";
import type { WeightDraft } from "./draft.ts";

/**
 * Each weight that writes to the stream (`W_E`, `W_pos`, `W_O`, `b_O`, `W_out`, `b_out`), minus its mean over d_model. Every
 * LayerNorm subtracts that mean anyway, so logits stay what they were; an RMSNorm does not, so this is for models without
 * one.
 */
export function centerWritingWeights(draft: WeightDraft, writers: readonly Tensor[]): void {
  for (const { label, shape } of writers) centerRows(draft.edit(label!), shape.at(-1)!);
}
