/** How often each of several things was seen. */
import type { Summary, SummaryState } from "./summary.ts";

/** Whole numbers by index: exact up to 2^53. */
export class Counts implements Summary<Counts> {
  readonly values: Float64Array;

  constructor(length: number) {
    this.values = new Float64Array(length);
  }

  add(index: number, times = 1): void {
    this.values[index] += times;
  }

  merge(other: Counts): void {
    for (let i = 0; i < this.values.length; i++) this.values[i] += other.values[i];
  }

  state(): SummaryState {
    const at = Int32Array.from(this.values.keys()).filter((i) => this.values[i] !== 0);
    return { at, counts: Float64Array.from(at, (i) => this.values[i]) };
  }

  restore({ at, counts }: SummaryState): void {
    at.forEach((index, row) => {
      this.add(index, counts[row]);
    });
  }
}
