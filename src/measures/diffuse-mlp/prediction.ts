/** The loss of next tokens and its two parts, for selected rows only. */
import type { Tensor } from "../../graph/tensor.ts";

/** Values [row], in the graph. */
export interface Prediction {
  /** Cross-entropy in nats: `logSumExp(logits) - logits[t]`. */
  readonly loss: Tensor;
  /** `logits[t]`. */
  readonly logit: Tensor;
}

/**
 * @param logits [... d_vocab]
 * @param rows which rows of the leading axes, int32 [row k]
 * @param targets the token that follows each of them, int32 [row]
 */
export function prediction(logits: Tensor, rows: Tensor, targets: Tensor): Prediction {
  const chosen = logits.gatherRows(rows);
  const logit = chosen.pick(targets);
  return { loss: chosen.crossEntropy(targets), logit };
}
