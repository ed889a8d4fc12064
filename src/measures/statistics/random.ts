/** Seeded randomness: the same seed gives the same numbers on every machine. */
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

/** From that many numbers for each drawn one on, a shuffle of all takes longer than a note of what it moves. */
const MANY_TIMES = 16;

export class Random {
  private readonly generator;

  constructor(seed: number) {
    this.generator = xoroshiro128plus(seed);
  }

  /** A whole number from 0 to `below`, exclusive. */
  integer(below: number): number {
    return uniformInt(this.generator, 0, below - 1);
  }

  /** `k` different numbers out of 0 to `n`, exclusive, in random order: a partial Fisher-Yates shuffle. */
  sample(n: number, k: number): Int32Array {
    if (k * MANY_TIMES < n) return this.few(n, k);
    const all = new Int32Array(n);
    for (let i = 0; i < n; i++) all[i] = i;
    this.shuffle(all, k);
    return all.slice(0, k);
  }

  /** The same numbers as the shuffle of all: of the others, only those that it moves are written down. */
  private few(n: number, k: number): Int32Array {
    const moved = new Map<number, number>();
    return Int32Array.from({ length: k }, (_, i) => {
      const j = i + this.integer(n - i);
      const drawn = moved.get(j) ?? j;
      moved.set(j, moved.get(i) ?? i);
      return drawn;
    });
  }

  /** Puts a random choice of the numbers, in random order, into the first `k` places. */
  shuffle(numbers: Int32Array, k: number = numbers.length): void {
    for (let i = 0; i < Math.min(k, numbers.length - 1); i++) {
      const j = i + this.integer(numbers.length - i);
      const moved = numbers[i];
      numbers[i] = numbers[j];
      numbers[j] = moved;
    }
  }
}
