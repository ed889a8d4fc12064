/**
 * Sums that do not depend on the order of what is added. Each number is cut to a multiple of 2^-64, and multiples are added exactly, as
 * whole numbers of six digits to the base 2^32. What is cut off is far below the last digit of the float32 numbers that scans add.
 */
import { InputError } from "../../tensor/errors.ts";
import type { Summary, SummaryState } from "./summary.ts";

const BASE = 2 ** 32;
/** The digit at index d counts multiples of 2^(32 d - 64). */
const DIGITS = 6;
const TOP = DIGITS - 1;
const UNIT_DIGIT = 2;
const UNIT_OF_TOP = 2 ** (32 * TOP - 64);
/** Numbers from here on are refused. With it, a sum of 2^64 numbers still fits. */
const LIMIT = 2 ** 63;
/** After this many additions a digit may be close to 2^53, from where on doubles are not exact. */
const CARRY_AFTER = 2 ** 20;
/** In a state: that a sum is negative. */
const NEGATIVE = 1 << DIGITS;

/** As many sums as there are indices. */
export class GridSums implements Summary<GridSums> {
  readonly length: number;
  private readonly digits: Float64Array;
  private added = 0;

  constructor(length: number) {
    this.length = length;
    this.digits = new Float64Array(length * DIGITS);
  }

  /** @throws InputError for a number that is not finite, or from 2^63 on */
  add(index: number, value: number): void {
    const small = value < BASE && value > -BASE;
    if (!small && !(value < LIMIT && value > -LIMIT)) throw tooLarge(value);
    let digit = small ? UNIT_DIGIT : TOP;
    let rest = small ? value : value / UNIT_OF_TOP;
    const at = index * DIGITS;
    for (;;) {
      const whole = Math.trunc(rest);
      this.digits[at + digit] += whole;
      if (digit === 0) break;
      rest = (rest - whole) * BASE;
      digit--;
    }
    if (++this.added >= CARRY_AFTER) this.carry();
  }

  /** The sum as a multiple of 2^-64. */
  exact(index: number): bigint {
    let sum = 0n;
    for (let d = TOP; d >= 0; d--) sum = (sum << 32n) + BigInt(this.digits[index * DIGITS + d]);
    return sum;
  }

  /** The sum, to the nearest double. */
  value(index: number): number {
    return Number(this.exact(index)) / 2 ** 64;
  }

  merge(other: GridSums): void {
    this.carry();
    other.carry();
    for (let i = 0; i < this.digits.length; i++) this.digits[i] += other.digits[i];
    this.carry();
  }

  /**
   * Only what is not 0: runs of sums (where each begins, how many), of each sum a byte that says which digits of its magnitude are not 0
   * and whether it is negative, and these digits. Sums of float32 numbers mostly have two or three.
   */
  state(): SummaryState {
    this.carry();
    const runs: number[] = [];
    const masks: number[] = [];
    const digits: number[] = [];
    for (let i = 0; i < this.length; i++) {
      const mask = this.pushed(i, digits);
      if (mask === 0) continue;
      if (runs.length > 0 && runs[runs.length - 2] + runs[runs.length - 1] === i) runs[runs.length - 1]++;
      else runs.push(i, 1);
      masks.push(mask);
    }
    const bytes = new Uint8Array(Math.ceil(masks.length / 4) * 4);
    bytes.set(masks);
    const words = Int32Array.from({ length: bytes.length / 4 }, (_, w) => {
      return bytes[4 * w] | (bytes[4 * w + 1] << 8) | (bytes[4 * w + 2] << 16) | (bytes[4 * w + 3] << 24);
    });
    return { runs: Int32Array.from(runs), masks: words, digits: Int32Array.from(digits) };
  }

  /** Adds the digits of a sum's magnitude that are not 0. @returns which they are, and whether it is negative */
  private pushed(index: number, digits: number[]): number {
    const at = index * DIGITS;
    const negative = this.digits[at + TOP] < 0;
    let mask = negative ? NEGATIVE : 0;
    let borrow = 0;
    for (let d = 0; d < DIGITS; d++) {
      let digit = this.digits[at + d];
      if (negative) {
        digit = -digit - borrow;
        borrow = d < TOP && digit < 0 ? 1 : 0;
        digit += borrow * BASE;
      }
      if (digit === 0) continue;
      mask |= 1 << d;
      digits.push(digit | 0);
    }
    return mask;
  }

  restore({ runs, masks, digits }: SummaryState): void {
    this.carry();
    let at = 0;
    let row = 0;
    for (let run = 0; run < runs.length; run += 2) {
      for (let index = runs[run]; index < runs[run] + runs[run + 1]; index++, row++) {
        const mask = (masks[row >> 2] >> (8 * (row & 3))) & 0xff;
        const sign = mask & NEGATIVE ? -1 : 1;
        for (let d = 0; d < DIGITS; d++) {
          if (mask & (1 << d)) this.digits[index * DIGITS + d] += sign * (digits[at++] >>> 0);
        }
      }
    }
    this.carry();
  }

  /** Every digit but the highest from 0 to 2^32 - 1: then equal sums have equal digits. */
  private carry(): void {
    const { digits } = this;
    for (let at = 0; at < digits.length; at += DIGITS) {
      for (let d = 0; d < TOP; d++) {
        const over = Math.floor(digits[at + d] / BASE);
        digits[at + d] -= over * BASE;
        digits[at + d + 1] += over;
      }
    }
    this.added = 0;
  }
}

function tooLarge(value: number): InputError {
  return new InputError(
    `A value of the scan is ${value}, and only numbers between -2^63 and 2^63 are added: the model's weights contain NaN or infinities, or its values overflow.`,
    { found: value },
  );
}
