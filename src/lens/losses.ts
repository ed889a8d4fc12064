/** How well logits predict their tokens. Source: TransformerLens' `utils.lm_cross_entropy_loss` and `lm_accuracy`. */
import { showShape } from "../graph/axes.ts";
import { Tensor } from "../graph/tensor.ts";
import { countedPositions, lossPerToken, meanLoss } from "../models/loss.ts";
import { InputError, ShapeError } from "../tensor/errors.ts";
import { ANYTHING, FLAG } from "../tensor/kinds.ts";
import { checkOptions, type OptionKinds } from "../tensor/options.ts";
import { notedPadding } from "../text/padding.ts";
import { idRows } from "../text/token-ids.ts";
import { checkTensor } from "./check-tensor.ts";
import { givenMask } from "./model-input.ts";

/** Which positions count, and whether each is returned. */
export interface LmLossOptions {
  /**
   * True for text, false for padding, bool [batch pos]: a position counts if it and the next one are text.
   * Default: padding is what `toTokens` added, if it made the tokens.
   */
  readonly attentionMask?: Tensor | undefined;
  /** One number for each position that has a next token, [batch pos-1], instead of their mean. */
  readonly perToken?: boolean | undefined;
}

// The mask's own error is better; it is thrown where the mask is read.
const KINDS: OptionKinds<LmLossOptions> = { attentionMask: ANYTHING, perToken: FLAG };

/**
 * The cross-entropy of each next token, `-log softmax(logits[t])[token[t+1]]` in nats: its mean, or [batch pos-1], 0 where a
 * position does not count.
 * @throws ShapeError, InputError for logits and tokens that do not fit each other
 */
export function lmCrossEntropyLoss(logits: Tensor, tokens: Tensor, options: LmLossOptions = {}): Tensor {
  const mask = checked("lmCrossEntropyLoss", logits, tokens, options);
  return (options.perToken ? lossPerToken : meanLoss)(logits, tokens, mask);
}

/**
 * How often the most probable next token is the actual one: a share of the positions that count, or bool [batch pos-1] by
 * position, false where it does not count.
 * @param logits [batch pos d_vocab]
 * @param tokens int32 [batch pos]
 */
export function lmAccuracy(logits: Tensor, tokens: Tensor, options: LmLossOptions = {}): Tensor {
  const mask = checked("lmAccuracy", logits, tokens, options);
  const right = logits.slice("pos", 0, -1).argmax("d_vocab").equal(tokens.slice("pos", 1));
  const counted = countedPositions(mask);
  if (!counted) return options.perToken ? right : right.cast("float32").mean();
  const kept = right.and(counted);
  return options.perToken ? kept : kept.cast("float32").sum().div(counted.cast("float32").sum());
}

/** Checks the inputs of a loss, and returns the mask. */
function checked(of: string, logits: Tensor, tokens: Tensor, options: LmLossOptions): Tensor | undefined {
  checkOptions(of, options, KINDS);
  checkTensor("The logits", logits, ["batch", "pos", "d_vocab"], "float32");
  checkTensor("The tokens", tokens, ["batch", "pos"], "int32");
  const [batch, pos] = tokens.shape;
  const vocabulary = logits.shape.at(-1)!;
  const rows = logits.shape.at(-3)!;
  if (tokens.shape.length !== 2 || logits.shape.at(-2) !== pos || (batch !== rows && batch !== 1)) {
    throw new ShapeError(
      `Logits ${showShape(logits)} and tokens ${showShape(tokens)} do not fit: logits are needed for each prompt and position of the tokens.`,
      { asked: logits.shape, found: tokens.shape },
    );
  }
  if (pos < 2)
    throw new InputError("A loss needs at least two tokens, one to predict from and one to predict.", { found: pos });
  if (tokens.array) idRows(tokens.array, vocabulary);
  const { attentionMask } = options;
  if (attentionMask instanceof Tensor && !attentionMask.array && attentionMask.dtype === "bool") return attentionMask;
  const noted = tokens.array && notedPadding(tokens.array);
  const mask =
    attentionMask !== undefined
      ? givenMask(attentionMask, tokens)
      : noted?.data.includes(0)
        ? Tensor.leaf(noted, ["batch", "pos"])
        : undefined;
  if (mask) checkCounted(mask);
  return mask;
}

/** @throws InputError for a mask whose last positions leave nothing to take the loss of */
export function checkCounted({ data, shape: [, width] }: Tensor, pos = width): void {
  const first = width - pos;
  if (
    data.some((x: number, i: number) => x === 1 && i % width >= first && (i + 1) % width !== 0 && data[i + 1] === 1)
  ) {
    return;
  }
  throw new InputError(
    "A loss needs a token with a next one, but the attention mask leaves none: no two adjacent tokens are text.",
    { asked: "loss" },
  );
}
