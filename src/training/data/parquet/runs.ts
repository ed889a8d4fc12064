/** Numbers in alternating runs and packed bits: Parquet's levels, and the indices into a dictionary. */
import { Damage } from "./damage.ts";

export class Runs {
  readonly #bytes: Uint8Array;
  readonly #width: number;
  readonly #end: number;
  #at: number;
  /** Numbers left in the current run. A run may claim any count: no more are made than are needed. */
  #left = 0;
  /** The number that the run repeats; undefined if its numbers are packed bits. */
  #repeated: number | undefined;
  /** The next packed bit, counted from `#at`. */
  #bit = 0;

  constructor(bytes: Uint8Array, start: number, end: number, width: number) {
    if (width > 32) throw new Damage(`a page has numbers of ${width} bits`);
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    this.#width = width;
  }

  /** The next `count` numbers. */
  read(into: Uint32Array, count: number): void {
    // If there is only one possible number, nothing need be stored, and some writers store nothing.
    if (this.#width === 0) into.fill(0, 0, count);
    else
      for (let i = 0; i < count; ) {
        if (this.#left === 0) this.#nextRun();
        const some = Math.min(this.#left, count - i);
        if (this.#repeated !== undefined) into.fill(this.#repeated, i, i + some);
        else this.#unpack(into, i, i + some);
        this.#left -= some;
        i += some;
      }
  }

  #nextRun(): void {
    if (this.#repeated === undefined) this.#at += Math.ceil(this.#bit / 8);
    this.#bit = 0;
    const head = this.#varint();
    if (head % 2 === 1) {
      this.#repeated = undefined;
      this.#left = 8 * ((head - 1) / 2);
      return;
    }
    this.#left = head / 2;
    let value = 0;
    for (let i = 0; i < Math.ceil(this.#width / 8); i++) value += this.#byte() * 2 ** (8 * i);
    this.#repeated = value;
  }

  #unpack(into: Uint32Array, from: number, to: number): void {
    const bytes = this.#bytes;
    const width = this.#width;
    let at = this.#at + (this.#bit >> 3);
    let shift = this.#bit & 7;
    // The last run may lack the bytes of numbers that only pad it.
    if (this.#at + Math.ceil((this.#bit + (to - from) * width) / 8) > this.#end) throw cutOff();
    for (let i = from; i < to; i++) {
      let value = bytes[at] >> shift;
      let have = 8 - shift;
      while (have < width) {
        at++;
        value += bytes[at] * 2 ** have;
        have += 8;
      }
      into[i] = width === 32 ? value : value % 2 ** width;
      shift = (shift + width) & 7;
      if (have === width) at++;
    }
    // Whole groups of eight are whole bytes: this keeps the count of bits small.
    const bit = this.#bit + (to - from) * width;
    this.#at += bit >> 3;
    this.#bit = bit & 7;
  }

  #varint(): number {
    let value = 0;
    for (let scale = 1; scale < 2 ** 35; scale *= 128) {
      const byte = this.#byte();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
    throw new Damage("the count of a run in a page never ends");
  }

  #byte(): number {
    if (this.#at >= this.#end) throw cutOff();
    return this.#bytes[this.#at++];
  }
}

const cutOff = () => new Damage("the runs of a page have fewer numbers than it claims");
