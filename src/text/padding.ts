/**
 * Which tokens were added as padding. Ids alone do not show this, because a text may contain the same token itself
 * (if BOS, EOS and padding are one token, it often does). So `toTokens` records what it added alongside the tokens it returns.
 */
import type { NDArray, TypedData } from "../tensor/array.ts";
import { InputError } from "../tensor/errors.ts";

interface Note {
  readonly mask: NDArray<"bool">;
  /** The ids that were added, in order: overwriting them with others turns padding into text. */
  readonly added: Int32Array;
}

const noted = new WeakMap<TypedData, Note>();

/** Records which tokens are text (true) and which were added as padding (false), bool [batch pos]. */
export function notePadding(tokens: NDArray<"int32">, mask: NDArray<"bool">): void {
  noted.set(tokens.data, { mask, added: tokens.data.filter((_, i) => mask.data[i] === 0) });
}

/**
 * The record for tokens [batch pos]; `undefined` for tokens without one.
 * @throws InputError for tokens with other ids where padding was: it is not known whether those are text
 */
export function notedPadding({ data, shape }: NDArray): NDArray<"bool"> | undefined {
  const note = noted.get(data);
  if (!note || note.mask.shape.join() !== (shape.length === 1 ? [1, ...shape] : shape).join()) return undefined;
  const { mask, added } = note;
  for (let i = 0, next = 0; next < added.length; i++) {
    if (mask.data[i] !== 0) continue;
    if (data[i] !== added[next++]) {
      throw new InputError(
        `The tokens were changed where toTokens had put padding (row ${Math.floor(i / mask.shape[1])}, position ${i % mask.shape[1]}), so it is not known which of them are text: make a copy of them and pass attentionMask.`,
        { asked: data[i], found: added[next - 1] },
      );
    }
  }
  return mask;
}
