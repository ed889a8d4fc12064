/** Next-token cross-entropy. */
import type { Tensor } from "../graph/tensor.ts";

/**
 * The loss at each position that has a next token, in nats: `-log softmax(logits[t])[token[t+1]]`, [batch pos-1].
 * With a mask, positions whose own or next token is padding are 0. Source: TransformerLens' `lm_cross_entropy_loss`.
 */
export function lossPerToken(logits: Tensor, tokens: Tensor, attentionMask?: Tensor): Tensor {
  const rows = logits.slice("pos", 0, -1);
  // A sweep's extra axes in front are the logits' alone: the targets are the same for all of them.
  const picked = targets(rows, tokens.slice(-1, 1));
  const loss = rows.logSumExp().sub(rows.pick(picked));
  const counted = countedPositions(attentionMask);
  return counted ? loss.where(counted, loss.constant(0)) : loss;
}

/** The mean of `lossPerToken` over all positions that count, a single number. */
export function meanLoss(logits: Tensor, tokens: Tensor, attentionMask?: Tensor): Tensor {
  const losses = lossPerToken(logits, tokens, attentionMask);
  const counted = countedPositions(attentionMask);
  return counted ? losses.sum().div(counted.cast("float32").sum()) : losses.mean();
}

function targets(rows: Tensor, next: Tensor): Tensor {
  const lead = rows.shape.length - 1 - next.shape.length;
  if (lead === 0) return next;
  return next.expandLike(rows.slice(-1, 0, 1).squeeze(-1).cast("int32"));
}

function countedPositions(mask: Tensor | undefined): Tensor | undefined {
  return mask?.slice(-1, 0, -1).and(mask.slice(-1, 1));
}
