/** Rows that say their beginning twice, so that it pays to look back and copy. */
import { type NDArray, ndarray } from "../../tensor/array.ts";
import { ArgumentError, InputError } from "../../tensor/errors.ts";
import { ANYTHING, WHOLE } from "../../tensor/kinds.ts";
import { checkOptions, type OptionKinds } from "../../tensor/options.ts";
import { uniform } from "../../tensor/random.ts";
import { shown } from "../../tensor/show.ts";
import { checkRows } from "./held-out.ts";

/** The fewest tokens that are repeated. */
const SHORTEST = 8;

/** Which rows are repeated. */
export interface RepeatRowsOptions {
  /** The probability that a row is, from 0 to 1. */
  readonly share: number;
  /** Default 0. */
  readonly seed?: number | undefined;
}

const KINDS: OptionKinds<RepeatRowsOptions> = { share: ANYTHING, seed: WHOLE };

/**
 * A copy of rows of tokens, int32 [row pos], some of which say their beginning twice: the tokens `t0 t1 … tn` become
 * `t0 t1 … tL t1 … tL tL+1 …`, cut to the same length. The first token, BOS in rows of text, stays first and is not repeated. Each
 * row is repeated with probability `share`, and draws its L from 8 up to half of the tokens after the first, so that the second time can only
 * be found by what it says, not by counting. Text as it is has few long repetitions, and copying them is what induction
 * heads do (Olsson et al. 2022, arXiv 2209.11895).
 * @throws ArgumentError unless the share is from 0 to 1; InputError for rows of fewer than 17 tokens.
 */
export function repeatRows(rows: NDArray<"int32">, options: RepeatRowsOptions): NDArray<"int32"> {
  checkOptions("repeatRows", options, KINDS);
  checkRows(rows);
  const share = requireShare("share", options.share);
  const [count, pos] = rows.shape;
  const longest = Math.floor((pos - 1) / 2);
  const data = Int32Array.from(rows.data);
  if (share === 0) return ndarray("int32", [count, pos], data);
  if (longest < SHORTEST) {
    throw new InputError(
      `Rows of ${pos} tokens are too short to be repeated: ${SHORTEST} tokens after the first, twice, need ${2 * SHORTEST + 1}. Cut longer rows, or repeat none.`,
      { asked: share, found: pos },
    );
  }
  const random = uniform(options.seed ?? 0);
  for (let row = 0; row < count; row++) {
    // Both are always drawn, so that a row's length does not depend on the share.
    const [chance, where] = [random(), random()];
    if (chance >= share) continue;
    const length = SHORTEST + Math.floor(where * (longest - SHORTEST + 1));
    const second = row * pos + 1 + length;
    data.set(rows.data.subarray(row * pos + 1, (row + 1) * pos - length), second);
  }
  return ndarray("int32", [count, pos], data);
}

/** A share from 0 to 1, or an error that names the option. @throws ArgumentError */
export function requireShare(name: string, value: number): number {
  if (typeof value === "number" && value >= 0 && value <= 1) return value;
  throw new ArgumentError(`${name} must be a number from 0 to 1, not ${shown(value)}.`, { asked: name, found: value });
}
