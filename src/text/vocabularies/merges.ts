/** The merges of a BPE vocabulary that does not list them: every way to make a token of two others. */

export type Merge = readonly [left: string, right: string];
export type Scored = readonly [token: string, score: number];

/**
 * Merges in the order in which they apply: those of the first token first; of one token, those with the shortest left
 * part first. Source: `generate_merges` of transformers 5.18.
 * @param tokens in the order in which they were learnt
 */
export function mergesOfTokens(tokens: readonly string[]): Merge[] {
  const known = new Set(tokens);
  return tokens.flatMap((token) => waysToMake(token, known));
}

/** As `mergesOfTokens`, the highest score first; of equal scores, the longest left part first. Source: the same function. */
export function mergesByScore(scored: readonly Scored[]): Merge[] {
  const known = new Set(scored.map(([token]) => token));
  return scored
    .flatMap(([token, score]) =>
      waysToMake(token, known).map((merge) => ({ merge, score, left: lengthOf(merge[0]), right: lengthOf(merge[1]) })),
    )
    .sort((a, b) => b.score - a.score || b.left - a.left || b.right - a.right)
    .map(({ merge }) => merge);
}

function waysToMake(token: string, known: ReadonlySet<string>): Merge[] {
  const ways: Merge[] = [];
  for (let at = 1; at < token.length; at++) {
    const low = token.charCodeAt(at);
    if (low >= 0xdc00 && low <= 0xdfff) continue; // inside a character
    const left = token.slice(0, at);
    if (!known.has(left)) continue;
    const right = token.slice(at);
    if (known.has(right)) ways.push([left, right]);
  }
  return ways;
}

/** In characters. */
const lengthOf = (text: string): number => Array.from(text).length;
