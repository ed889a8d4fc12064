/** Limits how much longer a tokenizer's components may make a text: a file of a few lines could double it forty times. */
import { InputError } from "../tensor/errors.ts";

/** The UTF-16 units that any text may grow to. */
const ANYWAY = 2 ** 24;
/** A longer text may grow by this factor, as when bytes are written out as characters. */
const TIMES = 4;

/** @throws InputError if a text of `from` units has become too long */
export function mayGrow(from: number, to: number): void {
  if (to <= Math.max(ANYWAY, TIMES * from)) return;
  throw new InputError(
    `The tokenizer turns ${from} characters into over ${to}, as no published one does: check the normalizer and the decoder in its tokenizer.json.`,
    { asked: from, found: to },
  );
}
