/** How well logits predict their tokens. Source: TransformerLens' `utils.lm_cross_entropy_loss` and `lm_accuracy`. */
import type { Tensor } from "../graph/tensor.ts";
import { lossPerToken, meanLoss } from "../models/loss.ts";

/** Which positions count, and whether each is told. */
export interface LmLossOptions {
  /** True for text, false for padding, bool [batch pos]: a position counts if it and the next one are text. */
  readonly attentionMask?: Tensor | undefined;
  /** One number for each position that has a next token, [batch pos-1], instead of their mean. */
  readonly perToken?: boolean | undefined;
}

/** The cross-entropy of each next token, `-log softmax(logits[t])[token[t+1]]` in nats: its mean, or [batch pos-1]. */
export function lmCrossEntropyLoss(
  logits: Tensor,
  tokens: Tensor,
  { attentionMask, perToken = false }: LmLossOptions = {},
): Tensor {
  return (perToken ? lossPerToken : meanLoss)(logits, tokens, attentionMask);
}

/**
 * How often the likeliest next token is the one that comes: a share, or bool [batch pos-1] by position.
 * @param logits [batch pos d_vocab]
 * @param tokens int32 [batch pos]
 */
export function lmAccuracy(logits: Tensor, tokens: Tensor, { perToken = false }: LmLossOptions = {}): Tensor {
  const right = logits.slice("pos", 0, -1).argmax("d_vocab").equal(tokens.slice("pos", 1));
  return perToken ? right : right.cast("float32").mean();
}
