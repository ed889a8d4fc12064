/**
 * How large a configuration may be. A file can contain any number; what no machine could hold, or what float32 cannot
 * distinguish from 0 or infinity, is refused where it is read, before anything of that size is built.
 */
import { between, type Kind } from "../../tensor/kinds.ts";

/** The deepest published models have about a hundred. */
export const MOST_LAYERS = 10_000;
/** Of a layer, where something is said of each: published models have at most a few hundred. */
export const MOST_HEADS = 2 ** 16;
/** Sizes, and the numbers of one weight, are counted in 32 bits by the engine. */
export const LARGEST_SIZE = 2 ** 31 - 1;

function wholeUpTo(most: number): Kind {
  return {
    accepts: (v) => Number.isSafeInteger(v) && (v as number) >= 1 && (v as number) <= most,
    describe: `a positive whole number of at most ${most}`,
  };
}

export const LAYERS: Kind = wholeUpTo(MOST_LAYERS);
/** The most that published models have are a few hundred. */
export const EXPERTS: Kind = wholeUpTo(MOST_LAYERS);
export const SIZE: Kind = wholeUpTo(LARGEST_SIZE);
/** A factor or a divisor: float32 can hold it and its inverse. */
export const FACTOR: Kind = between(1e-30, 1e30);
/** What is added to a variance. */
export const EPS: Kind = between(0, 1e30);
