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

  state(): SummaryState {
    this.carry();
    const used: number[] = [];
    for (let i = 0; i < this.length; i++) {
      if (this.digits.subarray(i * DIGITS, (i + 1) * DIGITS).some((digit) => digit !== 0)) used.push(i);
    }
    const digits = new Float64Array(used.length * DIGITS);
    used.forEach((index, row) => {
      digits.set(this.digits.subarray(index * DIGITS, (index + 1) * DIGITS), row * DIGITS);
    });
    return { at: Int32Array.from(used), digits };
  }

  restore({ at, digits }: SummaryState): void {
    this.carry();
    at.forEach((index, row) => {
      for (let d = 0; d < DIGITS; d++) this.digits[index * DIGITS + d] += digits[row * DIGITS + d];
    });
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
