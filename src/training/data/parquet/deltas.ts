/** Numbers stored as differences from the previous one, in packed bits: the lengths of Parquet's texts, where they are stored separately. */
import { Damage } from "./damage.ts";

export class Deltas {
  /** The claimed number of numbers. */
  readonly count: number;
  readonly #bytes: Uint8Array;
  readonly #minis: number;
  readonly #perMini: number;
  readonly #start: number;
  #at: number;
  #value: number;
  /** Numbers read. */
  #done = 0;
  #smallest = 0;
  /** Where the widths of this block are, and which of its miniblocks is being read. */
  #widths = 0;
  #mini = 0;
  /** Numbers left in this miniblock. */
  #left = 0;
  #width = 0;
  #bit = 0;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.#start = at;
    this.#at = at;
    const perBlock = this.#varint();
    this.#minis = this.#varint();
    this.count = this.#varint();
    this.#value = this.#zigzag();
    this.#perMini = perBlock / this.#minis;
    if (!(this.#minis > 0 && this.#perMini > 0 && this.#perMini % 8 === 0)) {
      throw new Damage("a page's lengths are in blocks of size 0");
    }
    this.#mini = this.#minis;
  }

  /** Where the bytes after these numbers begin. The time depends on the bytes, not on how many numbers are claimed. */
  end(): number {
    const ahead = new Deltas(this.#bytes, this.#start);
    for (let left = ahead.count - 1; left > 0; left -= ahead.#perMini) {
      ahead.#nextMini();
      ahead.#at += (ahead.#perMini / 8) * ahead.#width;
      ahead.#requireBytes();
    }
    return ahead.#at;
  }

  /** The next `count` numbers. */
  read(into: Int32Array, count: number): void {
    if (count > this.count - this.#done) throw new Damage("a page has fewer lengths than it claims values");
    for (let i = 0; i < count; i++) {
      if (this.#done++ > 0) this.#step();
      into[i] = this.#value;
    }
  }

  #step(): void {
    if (this.#left === 0) {
      this.#at += Math.ceil(this.#bit / 8);
      this.#nextMini();
      this.#left = this.#perMini;
      this.#bit = 0;
    }
    let difference = 0;
    for (let have = 0; have < this.#width; ) {
      const byte = this.#bytes[this.#at + Math.floor(this.#bit / 8)];
      if (byte === undefined) throw cutOff();
      const shift = this.#bit % 8;
      const some = Math.min(8 - shift, this.#width - have);
      // 32-bit numbers wrap around: higher bits do not count.
      if (have < 32) difference |= ((byte >> shift) & (2 ** some - 1)) << have;
      have += some;
      this.#bit += some;
    }
    this.#value = (this.#value + this.#smallest + difference) | 0;
    this.#left--;
  }

  #nextMini(): void {
    if (++this.#mini >= this.#minis) {
      this.#smallest = this.#zigzag();
      this.#widths = this.#at;
      this.#at += this.#minis;
      this.#requireBytes();
      this.#mini = 0;
    }
    this.#width = this.#bytes[this.#widths + this.#mini];
    if (this.#width > 64) throw new Damage(`a page has lengths of ${this.#width} bits`);
  }

  #requireBytes(): void {
    if (this.#at > this.#bytes.length) throw cutOff();
  }

  #zigzag(): number {
    const value = this.#varint();
    return (value % 2 === 0 ? value / 2 : -(value + 1) / 2) | 0;
  }

  #varint(): number {
    let value = 0;
    for (let scale = 1; scale < 2 ** 70; scale *= 128) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw cutOff();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
    throw new Damage("a length in a page never ends");
  }
}

const cutOff = () => new Damage("the lengths of a page end in the middle");
