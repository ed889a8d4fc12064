/**
 * The null model: every neuron keeps its activation but gets another neuron's output direction. Activations and
 * directions stay the same; what is lost is the match between a neuron and what it writes. A largest neuron above
 * the null model's stands out because of what it writes, and not only because some activation must be the largest.
 */
import { mean, quantileSorted } from "simple-statistics";
import { Random } from "../statistics/random.ts";
import { sortedSizes, spreadOf } from "./attribution.ts";

export interface NullResult {
  /** For the mean over all positions of the largest neuron's share, one mean per shuffle. */
  readonly maxShare: { readonly mean: number; readonly interval: readonly [number, number]; readonly p: number };
  /** At index n - 1: the mean over (some) positions of the share of |a| that the n largest neurons have, in one shuffle. */
  readonly cumulative: Float64Array;
  readonly shuffles: number;
}

/** The most work, in products, so that a big corpus takes seconds and not minutes; below it, all shuffles are made. */
const MOST_PRODUCTS = 2e9;
/** The most positions whose shuffled neurons are sorted. */
const MOST_SORTED = 2000;

export class NullModel {
  private readonly orders: readonly Int32Array[];
  private readonly sums: Float64Array;
  private readonly cumulative: Float64Array;
  /** The absolute values of one position's activations and directions, and of one shuffle's attributions. */
  private readonly posts: Float64Array;
  private readonly effects: Float64Array;
  private readonly shuffled: Float64Array;
  private readonly sortEvery: number;
  private rows = 0;
  private sorted = 0;

  /** @param rows how many positions will be added */
  constructor(dMlp: number, rows: number, seed: number) {
    const random = new Random(seed);
    const shuffles = Math.max(10, Math.min(100, Math.floor(MOST_PRODUCTS / (dMlp * rows))));
    this.orders = Array.from({ length: shuffles }, () => random.sample(dMlp, dMlp));
    this.sortEvery = Math.ceil(rows / MOST_SORTED);
    this.sums = new Float64Array(shuffles);
    this.cumulative = new Float64Array(dMlp);
    this.posts = new Float64Array(dMlp);
    this.effects = new Float64Array(dMlp);
    this.shuffled = new Float64Array(dMlp);
  }

  /** Adds one position and returns its largest neuron's share, as a mean over shuffles. */
  add(post: Float32Array, effect: Float32Array): number {
    const { posts, effects, orders } = this;
    for (let i = 0; i < posts.length; i++) {
      posts[i] = Math.abs(post[i]);
      effects[i] = Math.abs(effect[i]);
    }
    let sum = 0;
    for (let s = 0; s < orders.length; s++) {
      const share = maxShare(posts, effects, orders[s]);
      this.sums[s] += share;
      sum += share;
    }
    if (this.rows % this.sortEvery === 0) {
      for (let i = 0; i < posts.length; i++) this.shuffled[i] = posts[i] * effects[orders[0][i]];
      spreadOf(sortedSizes(this.shuffled), this.cumulative);
      this.sorted++;
    }
    this.rows++;
    return sum / orders.length;
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
      cumulative: this.cumulative.map((sum) => sum / this.sorted),
      shuffles: this.orders.length,
    };
  }
}

function maxShare(posts: Float64Array, effects: Float64Array, order: Int32Array): number {
  let total = 0;
  let most = 0;
  for (let i = 0; i < posts.length; i++) {
    const size = posts[i] * effects[order[i]];
    total += size;
    if (size > most) most = size;
  }
  return total === 0 ? 0 : most / total;
}
