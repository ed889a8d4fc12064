/** Which name was probably meant. */

/** Nobody types names longer than this. */
const LONGEST = 100;

/**
 * The string of `candidates` that `asked` is a misspelling of: the one with the fewest edits between them (case aside), if there are
 * at most two for every five letters of the shorter; or undefined if none is that close. Of equally close names, the first.
 */
export function nearest(asked: string, candidates: readonly string[]): string | undefined {
  if (asked.length > LONGEST) return undefined;
  const word = asked.toLowerCase();
  let best: string | undefined;
  let least = Infinity;
  for (const candidate of candidates) {
    const allowed = Math.floor(0.4 * Math.min(asked.length, candidate.length));
    // There are at least as many edits as the lengths differ by.
    const bound = Math.min(allowed, least - 1);
    if (candidate.length > LONGEST || Math.abs(candidate.length - asked.length) > bound) continue;
    const far = edits(word, candidate.toLowerCase());
    if (far > bound) continue;
    best = candidate;
    least = far;
    if (far === 0) break;
  }
  return best;
}

/**
 * The fewest edits that make one string the other, where an edit adds, removes or changes a letter, or swaps two that stand next to
 * each other, and no part is edited twice: the optimal string alignment.
 *
 * Source: Boytsov 2011, "Indexing methods for approximate dictionary searching", ACM JEA 16.
 */
export function edits(a: string, b: string): number {
  // Row i holds the edits from the first i letters of `a` to the first j of `b`; a swap looks two rows back.
  let [before, above] = [[] as number[], Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = above[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      row[j] = Math.min(above[j] + 1, row[j - 1] + 1, changed);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (isSwap) row[j] = Math.min(row[j], before[j - 2] + 1);
    }
    [before, above] = [above, row];
  }
  return above[b.length];
}
