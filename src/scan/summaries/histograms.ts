/** How values are distributed, for each of several things: counts in the bins of a fixed grid, and quantiles from them. */
import { InputError } from "../../tensor/errors.ts";
import { Counts } from "./counts.ts";
import type { Grid } from "./grids.ts";
import type { Summary, SummaryState } from "./summary.ts";

export class Histograms implements Summary<Histograms> {
  readonly grid: Grid;
  private readonly counts: Counts;

  /** @param length of how many things */
  constructor(grid: Grid, length = 1) {
    this.grid = grid;
    this.counts = new Counts(grid.bins * length);
  }

  /** @throws InputError for NaN, which is in no bin */
  add(index: number, value: number): void {
    if (Number.isNaN(value)) {
      throw new InputError("A value of the scan is NaN: the model's weights contain NaN or infinities.", {
        found: value,
      });
    }
    this.counts.add(index * this.grid.bins + this.grid.indexOf(value));
  }

  /** The count of each bin: a view. */
  of(index = 0): Float64Array {
    return this.counts.values.subarray(index * this.grid.bins, (index + 1) * this.grid.bins);
  }

  /**
   * The middle of the bin that has the value of rank `share` (n - 1): with a grid made by `logGrid`, at most 1/(2 parts) of itself away
   * from that value. NaN without any value.
   */
  quantile(share: number, index = 0): number {
    const counts = this.of(index);
    const total = counts.reduce((a, b) => a + b, 0);
    if (total === 0) return Number.NaN;
    const rank = Math.floor(share * (total - 1));
    let below = 0;
    const bin = counts.findIndex((count) => (below += count) > rank);
    const [from, to] = [this.grid.from(bin), bin + 1 < this.grid.bins ? this.grid.from(bin + 1) : Infinity];
    if (from === Number.NEGATIVE_INFINITY) return to;
    return to === Infinity ? from : (from + to) / 2;
  }

  merge(other: Histograms): void {
    this.counts.merge(other.counts);
  }

  state(): SummaryState {
    return this.counts.state();
  }

  restore(state: SummaryState): void {
    this.counts.restore(state);
  }
}
