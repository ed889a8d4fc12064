/** How many values, their mean, variance and extremes, for each of several things. */
import { Counts } from "./counts.ts";
import { GridSums } from "./grid-sums.ts";
import { type Summary, type SummaryState, stateOfPart, withName } from "./summary.ts";

export class Moments implements Summary<Moments> {
  private readonly counts: Counts;
  private readonly sums: GridSums;
  private readonly squares: GridSums;
  private readonly least: Float64Array;
  private readonly most: Float64Array;

  /** @param length of how many things */
  constructor(length = 1) {
    this.counts = new Counts(length);
    this.sums = new GridSums(length);
    this.squares = new GridSums(length);
    this.least = new Float64Array(length).fill(Number.POSITIVE_INFINITY);
    this.most = new Float64Array(length).fill(Number.NEGATIVE_INFINITY);
  }

  /** @throws InputError for a number that is not finite, or whose square is 2^63 or more */
  add(index: number, value: number): void {
    this.squares.add(index, value * value);
    this.sums.add(index, value);
    this.counts.add(index);
    this.extremes(index, value, value);
  }

  get length(): number {
    return this.least.length;
  }

  count(index = 0): number {
    return this.counts.values[index];
  }

  /** NaN without any value. */
  mean(index = 0): number {
    return this.sums.value(index) / this.count(index);
  }

  /** Of the values themselves: the mean of (x - mean)^2. Computed from exact sums: of float32 numbers, whose squares are exact,
   * it loses no digits where the mean is large next to it. */
  variance(index = 0): number {
    const n = BigInt(this.count(index));
    const sum = this.sums.exact(index);
    const scaled = n * (this.squares.exact(index) << 64n) - sum * sum;
    return Math.max(0, Number(scaled) / 2 ** 128 / Number(n * n));
  }

  /** Infinity without any value. */
  min(index = 0): number {
    return this.least[index];
  }

  /** -Infinity without any value. */
  max(index = 0): number {
    return this.most[index];
  }

  merge(other: Moments): void {
    this.counts.merge(other.counts);
    this.sums.merge(other.sums);
    this.squares.merge(other.squares);
    for (let i = 0; i < this.length; i++) this.extremes(i, other.least[i], other.most[i]);
  }

  state(): SummaryState {
    const { at, counts } = this.counts.state();
    return {
      ...{ at, counts, ...withName("sums", this.sums.state()), ...withName("squares", this.squares.state()) },
      min: Float64Array.from(at, (i) => this.least[i]),
      max: Float64Array.from(at, (i) => this.most[i]),
    };
  }

  restore(state: SummaryState): void {
    const { at, counts, min, max } = state;
    this.counts.restore({ at, counts });
    this.sums.restore(stateOfPart("sums", state));
    this.squares.restore(stateOfPart("squares", state));
    at.forEach((index, row) => {
      this.extremes(index, min[row], max[row]);
    });
  }

  private extremes(index: number, least: number, most: number): void {
    // Added to 0, -0 is 0: which of the two came first must not matter.
    if (least < this.least[index]) this.least[index] = least + 0;
    if (most > this.most[index]) this.most[index] = most + 0;
  }
}
