/** Seeded randomness: case 17 of a seed is the same on every machine, alone or among a million. */
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

export class Random {
  private readonly generator;

  constructor(seed: number, index: number) {
    // Neighbouring seeds would start similarly, so seed and case are mixed (Knuth's multiplicative hash).
    this.generator = xoroshiro128plus(Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b));
  }

  /** A whole number from 0 to `below`, exclusive. */
  below(below: number): number {
    return uniformInt(this.generator, 0, below - 1);
  }

  /** A whole number from `low` to `high`, inclusive. */
  between(low: number, high: number): number {
    return uniformInt(this.generator, low, high);
  }

  chance(share: number): boolean {
    return this.below(1_000_000) < share * 1_000_000;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)];
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.below(256));
  }
}
