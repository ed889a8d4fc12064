/** The largest values of each of several things, with where they are and what stands there. */
import { InputError } from "../../tensor/errors.ts";
import { type PackedRows, packedRows, unpackedRows } from "./packed.ts";
import { type Summary, type SummaryState, stateOfPart, withName } from "./summary.ts";

/** One of the largest values. */
export interface TopEntry {
  readonly value: number;
  /** Where it is: of two equal values the one with the smaller key comes first. */
  readonly key: number;
  /** What stands there: a view. */
  readonly payload: Int32Array;
}

export class TopK implements Summary<TopK> {
  readonly length: number;
  readonly k: number;
  /** How many whole numbers stand with each value. */
  readonly width: number;
  private readonly counts: Int32Array;
  private readonly values: Float64Array;
  private readonly keys: Float64Array;
  private readonly payloads: Int32Array;

  /** @param length of how many things @param k how many values of each @param width of what stands with a value */
  constructor(length: number, k: number, width = 0) {
    this.length = length;
    this.k = k;
    this.width = width;
    this.counts = new Int32Array(length);
    this.values = new Float64Array(length * k);
    this.keys = new Float64Array(length * k);
    this.payloads = new Int32Array(length * k * width);
  }

  /** Whether a value would be among the largest. @throws InputError for NaN, which has no place in an order */
  accepts(index: number, value: number, key: number): boolean {
    if (Number.isNaN(value)) {
      throw new InputError("A value of the scan is NaN: the model's weights contain NaN or infinities.", {
        found: value,
      });
    }
    if (this.counts[index] < this.k) return true;
    return this.isBefore(value, key, index * this.k + this.k - 1);
  }

  /**
   * Takes in a value if it is among the largest.
   * @param key where it is: no two values of one thing have the same
   * @param payload what stands there, `width` whole numbers
   */
  add(index: number, value: number, key: number, payload: ArrayLike<number> = []): void {
    if (!this.accepts(index, value, key)) return;
    const { k, width } = this;
    const first = index * k;
    if (this.counts[index] < k) this.counts[index]++;
    let at = first + this.counts[index] - 1;
    for (; at > first && this.isBefore(value, key, at - 1); at--) {
      this.values[at] = this.values[at - 1];
      this.keys[at] = this.keys[at - 1];
      this.payloads.copyWithin(at * width, (at - 1) * width, at * width);
    }
    this.values[at] = value + 0; // -0 is 0
    this.keys[at] = key;
    this.payloads.set(payload, at * width);
  }

  /** The largest first. */
  of(index = 0): TopEntry[] {
    return Array.from({ length: this.counts[index] }, (_, i) => this.entry(index * this.k + i));
  }

  merge(other: TopK): void {
    for (let index = 0; index < this.length; index++) {
      for (const { value, key, payload } of other.of(index)) this.add(index, value, key, payload);
    }
  }

  state(): SummaryState {
    const at = Int32Array.from(this.counts.keys()).filter((i) => this.counts[i] > 0);
    const entries = Array.from(at, (index) => this.of(index)).flat();
    const payloads = new Int32Array(entries.length * this.width);
    entries.forEach(({ payload }, i) => {
      payloads.set(payload, i * this.width);
    });
    return {
      at,
      counts: Int32Array.from(at, (i) => this.counts[i]),
      values: Float64Array.from(entries, ({ value }) => value),
      keys: Float64Array.from(entries, ({ key }) => key),
      ...withName("payloads", packedRows(payloads, this.width) as unknown as SummaryState),
    };
  }

  restore(state: SummaryState): void {
    const { at, counts, values, keys } = state;
    const payloads = unpackedRows(stateOfPart("payloads", state) as unknown as PackedRows, values.length);
    let entry = 0;
    at.forEach((index, row) => {
      for (let i = 0; i < counts[row]; i++, entry++) {
        const payload = payloads.subarray(entry * this.width, (entry + 1) * this.width);
        this.add(index, values[entry], keys[entry], payload);
      }
    });
  }

  private isBefore(value: number, key: number, at: number): boolean {
    return value > this.values[at] || (value === this.values[at] && key < this.keys[at]);
  }

  private entry(at: number): TopEntry {
    const payload = this.payloads.subarray(at * this.width, (at + 1) * this.width);
    return { value: this.values[at], key: this.keys[at], payload };
  }
}
