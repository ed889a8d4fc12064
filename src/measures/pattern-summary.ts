/** What an attention pattern looks at, in a few numbers. */
import type { AttentionMetric } from "../finding/picture.ts";

/** A head's pattern, summarised: means over the queries that have more than one key to look at. */
export interface PatternSummary {
  /** In nats; 0 if a head always looks at a single token. */
  readonly entropy: number;
  /** How far back it looks, in tokens. */
  readonly distance: number;
  /** The attention on the first token, the token before, and the token itself. */
  readonly first: number;
  readonly previous: number;
  readonly self: number;
  /**
   * The attention on what followed the query's token earlier in the text, a mean over the queries whose token was there
   * before; `null` if no token repeats.
   */
  readonly induction: number | null;
}

/**
 * A pattern's summary. The first query of a causal head has only one key, so all heads are the same there and it is not counted.
 * @param weights `weights[query · n + key]` of n tokens
 * @param tokens ids or texts: equal ones are repetitions
 */
export function patternSummary(weights: ArrayLike<number>, tokens: readonly (number | string)[]): PatternSummary {
  const n = tokens.length;
  let [entropy, distance, first, previous, self] = [0, 0, 0, 0, 0];
  for (let query = 1; query < n; query++) {
    const row = query * n;
    for (let key = 0; key < n; key++) {
      const p = weights[row + key];
      if (!(p > 0)) continue;
      entropy -= p * Math.log(p);
      distance += p * Math.abs(query - key);
    }
    first += weights[row];
    previous += weights[row + query - 1];
    self += weights[row + query];
  }
  const mean = (sum: number) => sum / Math.max(1, n - 1);
  return {
    entropy: mean(entropy),
    distance: mean(distance),
    first: mean(first),
    previous: mean(previous),
    self: mean(self),
    induction: inductionOf(weights, tokens),
  };
}

/** What heads can be sorted by, the most telling first. */
export function patternMetrics(heads: readonly PatternSummary[]): AttentionMetric[] {
  const of = (name: string, value: (head: PatternSummary) => number) => ({ name, values: heads.map(value) });
  const repeats = heads.every(({ induction }) => induction !== null);
  return [
    ...(repeats ? [of("induction", ({ induction }) => induction ?? 0)] : []),
    of("previous token", ({ previous }) => previous),
    of("first token", ({ first }) => first),
    of("same token", ({ self }) => self),
    { ...of("entropy", ({ entropy }) => entropy), unit: "nats", lowestFirst: true },
    { ...of("distance", ({ distance }) => distance), unit: "tokens" },
  ];
}

/** The mean attention on the tokens after earlier occurrences of the query's token. */
function inductionOf(weights: ArrayLike<number>, tokens: readonly (number | string)[]): number | null {
  const after = new Map<number | string, number[]>();
  let [sum, queries] = [0, 0];
  tokens.forEach((token, query) => {
    const keys = after.get(token);
    if (keys) {
      queries++;
      for (const key of keys) sum += weights[query * tokens.length + key];
    }
    after.set(token, [...(keys ?? []), query + 1]);
  });
  return queries > 0 ? sum / queries : null;
}
