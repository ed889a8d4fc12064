/** A text of any length in pieces that fit into the context. */
import type { HookedTransformer } from "../../lens/hooked-transformer.ts";
import { batchOf, readTokens } from "../../lens/tokens.ts";
import { InputError } from "../../tensor/errors.ts";

/** The text is read in pieces of this many tokens, BOS included: enough context for each word, and fast. */
export const PIECE = 128;
const TOKENS_AT_A_TIME = 4096;
/** The most activations that are read at a time. */
const NUMBERS_AT_A_TIME = 16e6;

/** The text's tokens in pieces that fit after a BOS. */
export function piecesOf(model: HookedTransformer, text: string): readonly (readonly number[])[] {
  if (text.trim() === "") {
    throw new InputError("The text is empty: give at least a few sentences.", { asked: text });
  }
  const ids = Array.from(readTokens(text, model, { prependBos: false, truncate: false }).data);
  const size = Math.max(1, Math.min(PIECE, model.cfg.nCtx) - (bosOf(model) === undefined ? 0 : 1));
  return Array.from({ length: Math.ceil(ids.length / size) }, (_, i) => ids.slice(i * size, (i + 1) * size));
}

/** The token in front of each piece, where the model was trained with one. */
export function bosOf(model: HookedTransformer): number | undefined {
  return model.cfg.defaultPrependBos ? model.text?.bosTokenId : undefined;
}

/**
 * Runs pieces of equal length together, each after a BOS, whose own activations (`skip`) are left out.
 * @param width how many activations there are at a token
 */
export function* batches(model: HookedTransformer, pieces: readonly (readonly number[])[], width: number) {
  const bos = bosOf(model);
  const skip = bos === undefined ? 0 : 1;
  const tokens = Math.min(TOKENS_AT_A_TIME, NUMBERS_AT_A_TIME / width);
  const most = Math.max(1, Math.floor(tokens / pieces[0].length));
  for (let start = 0; start < pieces.length; ) {
    const { length } = pieces[start];
    let end = start;
    while (end < pieces.length && end - start < most && pieces[end].length === length) end++;
    const rows = pieces.slice(start, end).map((piece) => (bos === undefined ? piece : [bos, ...piece]));
    yield { input: batchOf(rows, model), skip, tokens: rows.length * length };
    start = end;
  }
}
