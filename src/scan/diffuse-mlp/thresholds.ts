/** Which tokens count: high attribution, low share of the largest neuron, by what all of the corpus has. */
import type { TopEntry } from "../summaries/top-k.ts";
import type { DiffuseMlpSummaries } from "./summaries.ts";
import { QUANTITIES, SHARES } from "./summaries.ts";

export interface Diffuse {
  /** How many tokens have both, and how many would if the two were unrelated. */
  readonly count: number;
  readonly chance: number;
  /** From this attribution on it is high; below this share the largest neuron's is low. */
  readonly highFrom: number;
  readonly shareUpTo: number;
  /** Those with the largest attributions, the largest first. */
  readonly entries: readonly TopEntry[];
}

/** @param measured how many tokens there are */
export function diffuseOf({ distributions, shares, diffuse }: DiffuseMlpSummaries, measured: number): Diffuse {
  const attributions = distributions.of(QUANTITIES.findIndex(({ name }) => name === "attribution"));
  const { grid } = distributions;
  const shareCounts = new Float64Array(SHARES.bins);
  for (let bin = 0; bin < grid.bins; bin++) {
    if (attributions[bin] === 0) continue;
    shares.of(bin).forEach((count, share) => {
      shareCounts[share] += count;
    });
  }
  const firstHigh = boundary(attributions, measured * 0.75);
  const firstLarge = boundary(shareCounts, measured * 0.5);
  let [count, high, low] = [0, 0, 0];
  for (let bin = firstHigh; bin < grid.bins; bin++) {
    high += attributions[bin];
    if (attributions[bin] > 0) count += sumOf(shares.of(bin).subarray(0, firstLarge));
  }
  low = sumOf(shareCounts.subarray(0, firstLarge));
  const highFrom = grid.from(firstHigh);
  const entries = Array.from({ length: firstLarge }, (_, share) => diffuse.of(share))
    .flat()
    .filter(({ value }) => grid.indexOf(value) >= firstHigh)
    .sort((a, b) => b.value - a.value || a.key - b.key);
  return { count, chance: (high * low) / measured, highFrom, shareUpTo: SHARES.from(firstLarge), entries };
}

/** The bin that is begun once about this many are counted: at least the second, at most the last. */
function boundary(counts: Float64Array, below: number): number {
  let sum = 0;
  for (let bin = 0; bin < counts.length - 1; bin++) {
    const next = sum + counts[bin];
    // Whichever side of the bin is closer.
    if (next >= below) return Math.max(1, below - sum < next - below ? bin : bin + 1);
    sum = next;
  }
  return counts.length - 1;
}

const sumOf = (counts: Float64Array) => counts.reduce((a, b) => a + b, 0);
