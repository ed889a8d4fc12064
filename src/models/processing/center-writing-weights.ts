/** `center_writing_weights`: all that is written to the residual stream has mean 0 over d_model. */
import type { HookedTransformerConfig } from "../config.ts";
import { centerRows } from "./center.ts";
import type { WeightDraft } from "./draft.ts";

/**
 * `W_E`, `W_pos`, `W_O`, `b_O`, `W_out` and `b_out`, each minus its mean over d_model. Every LayerNorm subtracts that mean
 * anyway, so logits stay what they were; an RMSNorm does not, so this is for models without one.
 */
export function centerWritingWeights(draft: WeightDraft, config: HookedTransformerConfig): void {
  const names = ["embed.W_E", "pos_embed.W_pos"];
  for (let layer = 0; layer < config.nLayers; layer++) {
    names.push(`blocks.${layer}.attn.W_O`, `blocks.${layer}.attn.b_O`);
    if (!config.attnOnly) names.push(`blocks.${layer}.mlp.W_out`, `blocks.${layer}.mlp.b_out`);
  }
  for (const name of names) centerRows(draft.edit(name), config.dModel);
}
