/** How far a number would move with other data of the same kind. */
import { quantileSorted } from "simple-statistics";
import type { Random } from "./random.ts";

export interface BootstrapInterval {
  readonly interval: readonly [number, number];
  readonly level: number;
  readonly samples: number;
}

/**
 * A percentile interval of a statistic. Whole clusters are drawn with replacement, since the positions of one prompt are
 * not independent of each other. Draws for which the statistic does not exist are left out; `undefined` if that is
 * more than half of them, or if there are fewer than two clusters.
 *
 * @param clusters what is drawn: the indices of the values of each cluster
 * @param statistic of the drawn values, by index; NaN where it does not exist
 */
export function bootstrapInterval(
  clusters: readonly (readonly number[])[],
  statistic: (indices: readonly number[]) => number,
  random: Random,
  { samples = 1000, level = 0.95 } = {},
): BootstrapInterval | undefined {
  if (clusters.length < 2) return undefined;
  const found: number[] = [];
  for (let s = 0; s < samples; s++) {
    const drawn = Array.from(clusters, () => clusters[random.integer(clusters.length)]);
    const value = statistic(drawn.flat());
    if (Number.isFinite(value)) found.push(value);
  }
  if (found.length < samples / 2) return undefined;
  found.sort((a, b) => a - b);
  const tail = (1 - level) / 2;
  return {
    interval: [quantileSorted(found, tail), quantileSorted(found, 1 - tail)],
    level,
    samples: found.length,
  };
}
