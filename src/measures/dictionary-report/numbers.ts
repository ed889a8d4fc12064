/** A dictionary's numbers of what is measured at each token. */
import type { AT_TOKENS } from "./passes.ts";

/** What is measured at one token: sums over what the dictionary is to make. */
export type AtToken = Readonly<Record<(typeof AT_TOKENS)[number], number>>;

/** How sparse a dictionary is, and how well it makes what it is to make: x is that, x̂ what it makes, means are over tokens. */
export interface DictionaryNumbers {
  /** How many tokens were counted. */
  readonly tokens: number;
  /** Features that fire at a token. */
  readonly l0: number;
  /** The sum of the features that fire at a token. */
  readonly l1: number;
  /** `‖x − x̂‖²`. SAELens' `mse` is this, divided by the number of tokens again. */
  readonly squaredError: number;
  /** `1 − Σ‖x − x̂‖² / Σ‖x − mean x‖²`: the share of the variance that is explained. Not SAELens 6.18's, which can exceed 1. */
  readonly explainedVariance: number;
  /** The mean over tokens of `1 − ‖x − x̂‖² / ‖x − mean x‖²`: what SAEBench and Neuronpedia report as explained variance. */
  readonly explainedVariancePerToken: number;
  /** The cosine of x and x̂. */
  readonly cosineSimilarity: number;
  /** ‖x‖ */
  readonly normIn: number;
  /** ‖x̂‖ */
  readonly normOut: number;
  /** `‖x̂‖ / ‖x‖`, norms under 1e-4 counting as 1. */
  readonly normRatio: number;
  /** `mean ‖x̂‖² / mean x·x̂`: 1 where x̂ is neither too small nor too large. */
  readonly relativeReconstructionBias: number;
}

/** Norms below this count as 1 in a ratio of norms. */
const SMALLEST_NORM = 1e-4;

export function numbersOf(tokens: readonly AtToken[]): DictionaryNumbers {
  const mean = (f: (token: AtToken) => number) => tokens.reduce((sum, token) => sum + f(token), 0) / tokens.length;
  return {
    tokens: tokens.length,
    l0: mean(({ l0 }) => l0),
    l1: mean(({ l1 }) => l1),
    squaredError: mean(({ missed }) => missed),
    explainedVariance: 1 - mean(({ missed }) => missed) / mean(({ spread }) => spread),
    explainedVariancePerToken: mean(({ missed, spread }) => 1 - missed / spread),
    cosineSimilarity: mean(({ xx, yy, xy }) => xy / Math.sqrt(xx * yy)),
    normIn: mean(({ xx }) => Math.sqrt(xx)),
    normOut: mean(({ yy }) => Math.sqrt(yy)),
    normRatio: mean(({ xx, yy }) => Math.sqrt(yy) / (Math.sqrt(xx) < SMALLEST_NORM ? 1 : Math.sqrt(xx))),
    relativeReconstructionBias: mean(({ yy }) => yy) / mean(({ xy }) => xy),
  };
}
