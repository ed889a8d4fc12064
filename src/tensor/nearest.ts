/** Which name was probably meant. */
import { distance } from "fastest-levenshtein";

/** Nobody types names longer than this. */
const LONGEST = 100;

/**
 * The string of `candidates` that `asked` is a misspelling of: the closest by edit distance (case aside), if at most
 * two letters in five differ; or undefined if none is that close. Of equally close names, the first.
 */
export function nearest(asked: string, candidates: readonly string[]): string | undefined {
  if (asked.length > LONGEST) return undefined;
  const word = asked.toLowerCase();
  let best: string | undefined;
  let least = Infinity;
  for (const candidate of candidates) {
    const allowed = Math.floor(0.4 * Math.max(asked.length, candidate.length));
    // The distance is at least the difference in length.
    const bound = Math.min(allowed, least - 1);
    if (candidate.length > LONGEST || Math.abs(candidate.length - asked.length) > bound) continue;
    const far = distance(word, candidate.toLowerCase());
    if (far > bound) continue;
    best = candidate;
    least = far;
    if (far === 0) break;
  }
  return best;
}
