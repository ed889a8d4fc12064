/** Which tokens of a padded batch are text. */
import { type NDArray, ndarray } from "../tensor/array.ts";
import { ShapeError } from "../tensor/errors.ts";
import { shown } from "../tensor/show.ts";

export type PaddingSide = "left" | "right";

export interface AttentionMaskOptions {
  readonly paddingSide: PaddingSide;
  /** Whether each row begins with BOS; matters where BOS and padding are the same token. */
  readonly prependBos: boolean;
  /** Undefined means that nothing is padding. */
  readonly padTokenId: number | undefined;
  readonly bosTokenId: number | undefined;
}

/**
 * True where a token is text, false in the run of padding on the padded side; a padding token elsewhere counts as text.
 * Shape: `tokens` and the result are [batch, pos].
 *
 * If BOS and padding are one token (GPT-2) and rows begin with BOS: on the left, the last token of the run is the BOS
 * and stays true. On the right, the first token of a row does, even if the row has nothing else; TransformerLens
 * masks that row entirely. Source: `get_attention_mask` of TransformerLens 2.18.
 * @throws ShapeError unless tokens are [batch, pos].
 */
export function attentionMask(tokens: NDArray<"int32">, options: AttentionMaskOptions): NDArray<"bool"> {
  if (tokens?.shape?.length !== 2) {
    throw new ShapeError(`An attention mask needs tokens of shape [batch, pos], not ${shown(tokens?.shape)}.`, {
      asked: "[batch, pos]",
      found: tokens?.shape,
    });
  }
  const [batch, pos] = tokens.shape;
  const { paddingSide, padTokenId } = options;
  const bosIsPad = options.prependBos && options.bosTokenId === padTokenId;
  const mask = new Uint8Array(batch * pos).fill(1);
  for (let row = 0; row < batch; row++) {
    const ids = tokens.data.subarray(row * pos, (row + 1) * pos);
    let run = 0;
    while (run < pos && ids[paddingSide === "right" ? pos - 1 - run : run] === padTokenId) run++;
    // One of the run is the BOS: the last one on the left; on the right, only a run as long as the row reaches back to it.
    if (bosIsPad && run > 0 && (paddingSide === "left" || run === pos)) run--;
    const start = row * pos + (paddingSide === "right" ? pos - run : 0);
    mask.fill(0, start, start + run);
  }
  return ndarray("bool", [batch, pos], mask);
}
