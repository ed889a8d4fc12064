/** Splits a text at matches, in the five ways of Hugging Face's `SplitDelimiterBehavior`. */

export const BEHAVIOURS = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"] as const;
export type Behaviour = (typeof BEHAVIOURS)[number];

/**
 * The pieces that are kept, as alternating starts and ends; some may be empty.
 * @param found the starts and ends of the delimiters
 * @param invert whether the text between the delimiters is the delimiter instead
 */
export function cutAt(length: number, found: readonly number[], behaviour: Behaviour, invert = false): number[] {
  if (length === 0) return [];
  // Consecutive stretches, each a delimiter or not.
  const bounds: number[] = [];
  const isDelimiter: boolean[] = [];
  const add = (start: number, end: number, delimiter: boolean) => {
    bounds.push(start, end);
    isDelimiter.push(delimiter !== invert);
  };
  let at = 0;
  for (let i = 0; i < found.length; i += 2) {
    if (at !== found[i]) add(at, found[i], false);
    add(found[i], found[i + 1], true);
    at = found[i + 1];
  }
  if (at !== length) add(at, length, false);
  if (behaviour === "Isolated") return bounds;

  const out: number[] = [];
  if (behaviour === "Removed") {
    isDelimiter.forEach((delimiter, i) => {
      if (!delimiter) out.push(bounds[2 * i], bounds[2 * i + 1]);
    });
    return out;
  }
  let previous = false;
  if (behaviour === "MergedWithNext") {
    for (let i = isDelimiter.length - 1; i >= 0; i--) {
      if (isDelimiter[i] && !previous && out.length > 0) out[out.length - 1] = bounds[2 * i];
      else out.push(bounds[2 * i + 1], bounds[2 * i]);
      previous = isDelimiter[i];
    }
    return out.reverse();
  }
  isDelimiter.forEach((delimiter, i) => {
    const joins = behaviour === "Contiguous" ? delimiter === previous : delimiter && !previous;
    if (joins && out.length > 0) out[out.length - 1] = bounds[2 * i + 1];
    else out.push(bounds[2 * i], bounds[2 * i + 1]);
    previous = delimiter;
  });
  return out;
}
