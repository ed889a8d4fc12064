/**
 * How large a configuration may be. A file can say any number; what no machine could hold, or float32 not tell from 0 or
 * infinity, is refused where it is read, before anything of that size is built.
 */
import { ConfigError } from "../tensor/errors.ts";
import { between, type Kind } from "../tensor/kinds.ts";
import type { HookedTransformerConfig } from "./config.ts";

/** The deepest published models have about a hundred. */
export const MOST_LAYERS = 10_000;
/** Sizes, and the numbers of one weight, are counted in 32 bits by the engine. */
export const LARGEST_SIZE = 2 ** 31 - 1;

function wholeUpTo(most: number): Kind {
  return {
    accepts: (v) => Number.isSafeInteger(v) && (v as number) >= 1 && (v as number) <= most,
    describe: `a positive whole number of at most ${most}`,
  };
}

export const LAYERS: Kind = wholeUpTo(MOST_LAYERS);
export const SIZE: Kind = wholeUpTo(LARGEST_SIZE);
/** What something is multiplied with or divided by: float32 holds it, and its inverse. */
export const FACTOR: Kind = between(1e-30, 1e30);
/** What is added to a variance. */
export const EPS: Kind = between(0, 1e30);

/** @throws ConfigError for a weight of more numbers than can be counted. */
export function checkSizes({ dModel, dHead, nHeads, dMlp, nCtx, dVocab, dVocabOut }: HookedTransformerConfig): void {
  const weights: [string, Readonly<Record<string, number>>][] = [
    ["W_E", { d_vocab: dVocab, d_model: dModel }],
    ["W_pos", { n_ctx: nCtx, d_model: dModel }],
    ["W_Q", { n_heads: nHeads, d_model: dModel, d_head: dHead }],
    ["W_in", { d_model: dModel, d_mlp: dMlp ?? 0 }],
    ["W_U", { d_model: dModel, d_vocab_out: dVocabOut }],
  ];
  for (const [name, sizes] of weights) {
    const numbers = Object.values(sizes).reduce((product, size) => product * size, 1);
    if (numbers <= LARGEST_SIZE) continue;
    throw new ConfigError(
      `The configuration's ${name} would have ${numbers.toExponential(1)} numbers (${Object.entries(sizes)
        .map(([size, value]) => `${size} ${value}`)
        .join(" x ")}); a weight has at most ${LARGEST_SIZE}. Make one of them smaller.`,
      { asked: sizes, found: numbers },
    );
  }
}
