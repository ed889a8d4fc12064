/** ALiBi's slopes in published models. */
import { ConfigError } from "../../tensor/errors.ts";
import { MOST_HEADS } from "../config/bounds.ts";

/**
 * `2^(-8 i / n)` of head i = 1 … n, if the heads are a power of 2; else those of the n that is next below, followed by every
 * other one of 2n. Source: Press et al. 2021, arXiv 2108.12409, and its code; TransformerLens has `2^(-8 i / n)` for any n.
 * @throws ConfigError for more heads than any model has
 */
export function publishedSlopes(heads: number): readonly number[] {
  if (heads > MOST_HEADS) {
    throw new ConfigError(`The model has ${heads} heads, but ALiBi positions are for at most ${MOST_HEADS}.`, {
      asked: heads,
    });
  }
  const whole = 2 ** Math.floor(Math.log2(heads));
  const slope = (i: number, n: number) => 2 ** ((-8 * i) / n);
  return Array.from({ length: heads }, (_, i) =>
    i < whole ? slope(i + 1, whole) : slope(2 * (i - whole) + 1, 2 * whole),
  );
}
