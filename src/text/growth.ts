/** How much longer the parts of a tokenizer may make a text: a file of a few lines could double it forty times over. */
import { InputError } from "../tensor/errors.ts";

/** UTF-16 units that any text may become. */
const ANYWAY = 2 ** 24;
/** A longer text may become so many times as long, as bytes written out as characters make it. */
const TIMES = 4;

/** @throws InputError if a text of `from` units has become too long */
export function mayGrow(from: number, to: number): void {
  if (to <= Math.max(ANYWAY, TIMES * from)) return;
  throw new InputError(
    `The tokenizer makes over ${to} characters of ${from}: no published one does. Look at the normalizer and the decoder of its tokenizer.json.`,
    { asked: from, found: to },
  );
}
