/**
 * Which tokens were put there as padding. Ids alone do not tell it, as a text may hold the same token for its own sake
 * (where BOS, EOS and padding are one token it often does). So `toTokens` notes what it added beside the tokens it gives.
 */
import type { NDArray, TypedData } from "../tensor/array.ts";

const noted = new WeakMap<TypedData, NDArray<"bool">>();

/** Notes beside tokens which of them are text (true) and which were added as padding (false), bool [batch pos]. */
export function notePadding(tokens: NDArray<"int32">, mask: NDArray<"bool">): void {
  noted.set(tokens.data, mask);
}

/** What was noted beside tokens [batch pos]; `undefined` for tokens that nothing is known of. */
export function notedPadding({ data, shape }: NDArray): NDArray<"bool"> | undefined {
  const mask = noted.get(data);
  return mask && mask.shape.join() === (shape.length === 1 ? [1, ...shape] : shape).join() ? mask : undefined;
}
