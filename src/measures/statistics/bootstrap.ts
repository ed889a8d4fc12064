/** How much a number would vary with other data of the same kind. */
import { quantileSorted } from "simple-statistics";
import type { Random } from "./random.ts";

export interface BootstrapInterval {
  readonly interval: readonly [number, number];
  readonly level: number;
  readonly samples: number;
}

/**
 * A percentile interval of a statistic. Whole clusters are drawn with replacement, since the positions of one prompt are
 * not independent of each other. Draws for which the statistic does not exist are left out; the result is `undefined` if that is
 * more than half of them, or if there are fewer than two clusters.
 *
 * @param clusters for each value, the index of its cluster, from 0
 * @param statistic the statistic, from how often each value was drawn; NaN where it does not exist
 */
export function bootstrapInterval(
  clusters: readonly number[],
  statistic: (drawn: Float64Array) => number,
  random: Random,
  { samples = 1000, level = 0.95 } = {},
): BootstrapInterval | undefined {
  const count = clusters.reduce((most, c) => Math.max(most, c + 1), 0);
  if (count < 2) return undefined;
  const statistics: number[] = [];
  const times = new Float64Array(count);
  const drawn = new Float64Array(clusters.length);
  for (let s = 0; s < samples; s++) {
    times.fill(0);
    for (let c = 0; c < count; c++) times[random.integer(count)]++;
    for (let i = 0; i < drawn.length; i++) drawn[i] = times[clusters[i]];
    const value = statistic(drawn);
    if (Number.isFinite(value)) statistics.push(value);
  }
  if (statistics.length < samples / 2) return undefined;
  statistics.sort((a, b) => a - b);
  const tail = (1 - level) / 2;
  return {
    interval: [quantileSorted(statistics, tail), quantileSorted(statistics, 1 - tail)],
    level,
    samples: statistics.length,
  };
}
