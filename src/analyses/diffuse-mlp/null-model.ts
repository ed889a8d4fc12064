/**
 * The null model: every neuron keeps its activation and gets another neuron's output direction. Activations and
 * directions stay what they are, and what is lost is that a neuron writes what it stands for. A largest neuron above
 * this one's stands out because of what it says and not only because some activation must be the largest.
 */
import { mean, quantileSorted } from "simple-statistics";
import { Random } from "../statistics/random.ts";
import { spreadOf } from "./attribution.ts";

export interface NullResult {
  /** Of the means over all positions of the largest neuron's share, one mean a shuffle. */
  readonly maxShare: { readonly mean: number; readonly interval: readonly [number, number]; readonly p: number };
  /** The mean over positions of the share of |a| that the n largest neurons have; at n - 1, from one shuffle. */
  readonly cumulative: Float64Array;
  readonly shuffles: number;
}

/** Work at most, in products, so that a big corpus takes seconds and not minutes; below it, all shuffles are made. */
const MOST_PRODUCTS = 2e9;

export class NullModel {
  private readonly orders: readonly Int32Array[];
  private readonly sums: Float64Array;
  private readonly cumulative: Float64Array;
  private readonly scratch: Float64Array;
  private rows = 0;

  /** @param rows how many positions will be seen */
  constructor(dMlp: number, rows: number, seed: number) {
    const random = new Random(seed);
    const shuffles = Math.max(10, Math.min(100, Math.floor(MOST_PRODUCTS / (dMlp * rows))));
    this.orders = Array.from({ length: shuffles }, () => random.sample(dMlp, dMlp));
    this.sums = new Float64Array(shuffles);
    this.cumulative = new Float64Array(dMlp);
    this.scratch = new Float64Array(dMlp);
  }

  /** Takes in one position, and gives its largest neuron's share, the mean over shuffles. */
  add(post: Float32Array, effect: Float32Array): number {
    let mean = 0;
    for (let s = 0; s < this.orders.length; s++) {
      const order = this.orders[s];
      let total = 0;
      let most = 0;
      for (let i = 0; i < post.length; i++) {
        const size = Math.abs(post[i] * effect[order[i]]);
        total += size;
        if (size > most) most = size;
      }
      const share = total === 0 ? 0 : most / total;
      this.sums[s] += share;
      mean += share / this.orders.length;
    }
    for (let i = 0; i < post.length; i++) this.scratch[i] = post[i] * effect[this.orders[0][i]];
    spreadOf(this.scratch, this.cumulative);
    this.rows++;
    return mean;
  }

  /** @param observed the mean of the largest neuron's share in the model as it is */
  result(observed: number): NullResult {
    const means = Array.from(this.sums, (sum) => sum / this.rows).sort((a, b) => a - b);
    const centre = mean(means);
    const extreme = means.filter((m) => Math.abs(m - centre) >= Math.abs(observed - centre)).length;
    return {
      maxShare: {
        mean: centre,
        interval: [quantileSorted(means, 0.025), quantileSorted(means, 0.975)],
        p: (1 + extreme) / (1 + means.length),
      },
      cumulative: this.cumulative.map((sum) => sum / this.rows),
      shuffles: this.orders.length,
    };
  }
}
