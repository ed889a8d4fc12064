/**
 * Which tokens were put there as padding. Ids alone do not tell it, as a text may hold the same token for its own sake
 * (where BOS, EOS and padding are one token it often does). So `toTokens` notes what it added beside the tokens it gives.
 */
import type { NDArray, TypedData } from "../tensor/array.ts";
import { InputError } from "../tensor/errors.ts";

interface Note {
  readonly mask: NDArray<"bool">;
  /** The ids that were added, in order: whoever writes others over them makes text of padding. */
  readonly added: Int32Array;
}

const noted = new WeakMap<TypedData, Note>();

/** Notes beside tokens which of them are text (true) and which were added as padding (false), bool [batch pos]. */
export function notePadding(tokens: NDArray<"int32">, mask: NDArray<"bool">): void {
  noted.set(tokens.data, { mask, added: tokens.data.filter((_, i) => mask.data[i] === 0) });
}

/**
 * What was noted beside tokens [batch pos]; `undefined` for tokens that nothing is known of.
 * @throws InputError for tokens with other ids where padding was: whether those are text is not known
 */
export function notedPadding({ data, shape }: NDArray): NDArray<"bool"> | undefined {
  const note = noted.get(data);
  if (!note || note.mask.shape.join() !== (shape.length === 1 ? [1, ...shape] : shape).join()) return undefined;
  const { mask, added } = note;
  for (let i = 0, next = 0; next < added.length; i++) {
    if (mask.data[i] !== 0) continue;
    if (data[i] !== added[next++]) {
      throw new InputError(
        `The tokens were changed where toTokens had put padding (row ${Math.floor(i / mask.shape[1])}, position ${i % mask.shape[1]}), so what is text is not known: make a copy of them and pass attentionMask.`,
        { asked: data[i], found: added[next - 1] },
      );
    }
  }
  return mask;
}
