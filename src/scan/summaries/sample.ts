/**
 * A sample of fixed size in which everything that was seen is equally likely. What is in it follows from a hash of the seed and of where
 * a thing is, not from when it was seen: the things with the largest hashes are the sample, so samples merge.
 */
import type { Summary, SummaryState } from "./summary.ts";
import { type TopEntry, TopK } from "./top-k.ts";

export class Sample implements Summary<Sample> {
  private readonly seed: number;
  private readonly largest: TopK;

  /** @param width how many whole numbers stand with each */
  constructor(size: number, width: number, seed: number) {
    this.seed = seed;
    this.largest = new TopK(1, size, width);
  }

  /** Whether what is at `key` would be in the sample so far. */
  accepts(key: number): boolean {
    return this.largest.accepts(0, priority(key, this.seed), key);
  }

  /** @param key where it is: no two things have the same */
  add(key: number, payload: ArrayLike<number>): void {
    this.largest.add(0, priority(key, this.seed), key, payload);
  }

  /** In the order of their hashes, which is a random one. */
  all(): TopEntry[] {
    return this.largest.of(0);
  }

  merge(other: Sample): void {
    this.largest.merge(other.largest);
  }

  state(): SummaryState {
    return this.largest.state();
  }

  restore(state: SummaryState): void {
    this.largest.restore(state);
  }
}

/** A number from 0 to 1 that looks random. */
function priority(key: number, seed: number): number {
  const low = key | 0;
  const high = Math.floor(key / 2 ** 32) | 0;
  const first = stirred(stirred(stirred(seed | 0) ^ low) ^ high);
  return (first >>> 0) / 2 ** 32 + (stirred(first ^ 0x9e3779b9) >>> 0) / 2 ** 64;
}

/** MurmurHash3's last step, by which every bit of the result depends on every bit. Source: Appleby, SMHasher, `fmix32`. */
function stirred(bits: number): number {
  let h = bits + 0x6d2b79f5;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
