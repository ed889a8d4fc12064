/** What a decoder starts from. */
import { showShape } from "../graph/axes.ts";
import { Tensor } from "../graph/tensor.ts";
import { compose } from "../models/compose.ts";
import { ArgumentError, InputError, ShapeError } from "../tensor/errors.ts";
import { notedPadding } from "../text/padding.ts";
import type { CachedModel } from "./cached.ts";
import { batchOf, isTexts, type ModelInput, needText, readTokens } from "./tokens.ts";

type Read = Pick<CachedModel, "cfg" | "text">;

/**
 * The decoder's tokens, int32 [batch pos], of an encoder-decoder: as they are, or a text's after the token that decoders begin
 * with, without what the tokenizer puts around texts; by default that token alone. `undefined` in other models.
 * @throws ArgumentError for a model without a decoder; ShapeError for another number of rows than the encoder has; InputError
 * without tokens
 */
export function decoderTokens(given: ModelInput | undefined, tokens: Tensor, model: Read): Tensor | undefined {
  if (compose(model.cfg).decoder === null) {
    if (given === undefined) return undefined;
    throw new ArgumentError(`decoderInput is for encoder-decoders, and ${model.cfg.modelName} has no decoder.`, {
      asked: "decoderInput",
    });
  }
  const [batch] = tokens.shape;
  const read =
    given === undefined ? batchOf(new Array<number[]>(batch).fill([startToken(model)]), model) : of(given, model);
  if (read.shape[0] !== batch) {
    throw new ShapeError(
      `The decoder's input is ${showShape(read)}, but the encoder's has ${batch} rows: give each its own.`,
      { asked: read.shape, found: batch },
    );
  }
  if (read.data.length > 0) return read;
  throw new InputError("The decoder's input has no tokens: leave it out to begin with the decoder's first token.");
}

/** The token that a decoder begins with. @throws InputError for a model that does not know one */
export function startToken({ cfg, text }: Read): number {
  const start = cfg.decoderStartTokenId ?? text?.padTokenId;
  if (start !== undefined) return start;
  throw new InputError(
    `${cfg.modelName} does not say which token its decoder begins with (decoder_start_token_id): pass decoderInput.`,
    { asked: "decoderInput" },
  );
}

function of(given: ModelInput, model: Read): Tensor {
  if (typeof given !== "string" && !isTexts(given)) return readTokens(given, model);
  const { tokenizer } = needText(model);
  const start = startToken(model);
  const rows = (typeof given === "string" ? [given] : given).map((text) => [
    start,
    ...tokenizer.encode(text, { addSpecialTokens: false }),
  ]);
  return batchOf(rows, model);
}

/** The tokens that logits are about, and which of them are text: the decoder's, or those of the only stack. */
export function predicted(inputs: {
  readonly tokens?: Tensor | undefined;
  readonly attentionMask?: Tensor | undefined;
  readonly decoderTokens?: Tensor | undefined;
}): { readonly tokens: Tensor | undefined; readonly attentionMask: Tensor | undefined } {
  const { tokens, attentionMask, decoderTokens: own } = inputs;
  if (!own) return { tokens, attentionMask };
  const noted = own.array && notedPadding(own.array);
  return { tokens: own, attentionMask: noted?.data.includes(0) ? Tensor.leaf(noted, ["batch", "pos"]) : undefined };
}
