/** Next-token cross-entropy. */
import type { Tensor } from "../graph/tensor.ts";

/**
 * The loss at each position that has a next token, in nats: `-log softmax(logits[t])[token[t+1]]`, [batch pos-1].
 * With a mask, positions whose own or next token is padding are 0. Source: TransformerLens' `lm_cross_entropy_loss`.
 */
export function lossPerToken(logits: Tensor, tokens: Tensor, attentionMask?: Tensor): Tensor {
  // A hook may have made more rows of one prompt: the tokens are then the same for all of them.
  const grown = tokens.shape[0] === 1 && logits.shape.at(-3) !== 1;
  const next = (grown ? tokens.squeeze("batch") : tokens).slice("pos", 1);
  const loss = logits.slice("pos", 0, -1).crossEntropy(next);
  const counted = countedPositions(attentionMask);
  return counted ? loss.where(counted, loss.constant(0)) : loss;
}

/** The mean of `lossPerToken` over all positions that count, one number. */
export function meanLoss(logits: Tensor, tokens: Tensor, attentionMask?: Tensor): Tensor {
  const losses = lossPerToken(logits, tokens, attentionMask);
  const counted = countedPositions(attentionMask);
  return counted ? losses.sum().div(counted.cast("float32").sum()) : losses.mean();
}

/** Positions that are text and have a next one that is, bool [batch pos-1]. */
export function countedPositions(mask: Tensor | undefined): Tensor | undefined {
  return mask?.slice(-1, 0, -1).and(mask.slice(-1, 1));
}
