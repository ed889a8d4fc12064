/**
 * Thrift's compact protocol, which Parquet's footers and page headers are written in. A struct is walked in place:
 * nothing is built for a field that is not needed, so a footer takes no more memory than its bytes, whatever it claims.
 */
import { Damage } from "./damage.ts";

/** The kinds of fields. */
export const INTEGERS: ReadonlySet<number> = new Set([3, 4, 5, 6]);
const BINARY = 8;
const LIST = 9;
const SET = 10;
const MAP = 11;
const STRUCT = 12;

/** How deep structs may nest; Parquet's own are five deep. */
const DEEPEST = 32;

/** More bytes are needed than there are; for a page's header, perhaps only more than have been read. */
export class CutOff extends Damage {}

/** A list of a struct, before its entries are read. */
export interface Entries {
  readonly kind: number;
  readonly count: number;
}

export class Compact {
  at: number;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.at = at;
  }

  /** Every field of the struct that begins here. If `read` returns false, it has not read the field, which is then skipped. */
  struct(read: (id: number, kind: number) => boolean): void {
    this.#struct(read, 0);
  }

  integer(kind: number): number {
    if (kind === 3) return (this.#byte() << 24) >> 24;
    if (!INTEGERS.has(kind)) throw new Damage("a number in its headers is not a number");
    const zigzag = this.#varint();
    return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
  }

  flag(kind: number): boolean {
    if (kind !== 1 && kind !== 2) throw new Damage("a boolean in its headers is not a boolean");
    return kind === 1;
  }

  binary(kind: number): Uint8Array {
    if (kind !== BINARY) throw new Damage("a name in its headers is not a name");
    const length = this.#varint();
    return this.#bytes.subarray(this.at, this.#step(length));
  }

  list(kind: number): Entries {
    if (kind !== LIST && kind !== SET) throw new Damage("a list in its headers is not a list");
    const head = this.#byte();
    const count = head >> 4 === 15 ? this.#varint() : head >> 4;
    // Whatever its kind, an entry takes at least one byte.
    if (count > this.#bytes.length - this.at) throw new CutOff(`a list in its headers claims ${count} entries`);
    return { kind: head & 15, count };
  }

  /** Each entry of a list of structs. */
  structs(kind: number, each: (index: number) => void): void {
    const { kind: of, count } = this.list(kind);
    if (count > 0 && of !== STRUCT) throw new Damage("a list in its headers contains something else than it should");
    for (let i = 0; i < count; i++) each(i);
  }

  #struct(read: (id: number, kind: number) => boolean, depth: number): void {
    if (depth > DEEPEST) throw new Damage(`its headers are over ${DEEPEST} levels deep`);
    let id = 0;
    for (;;) {
      const head = this.#byte();
      const kind = head & 15;
      if (kind === 0) return;
      id = head >> 4 === 0 ? this.integer(4) : id + (head >> 4);
      if (!read(id, kind)) this.#skip(kind, depth);
    }
  }

  #skip(kind: number, depth: number): void {
    if (kind === 1 || kind === 2) return;
    if (kind === 3) this.#step(1);
    else if (kind <= 6) this.#varint();
    else if (kind === 7) this.#step(8);
    else if (kind === BINARY) this.#step(this.#varint());
    else if (kind === STRUCT) this.#struct(() => false, depth + 1);
    else if (kind === LIST || kind === SET) {
      const { kind: of, count } = this.list(kind);
      for (let i = 0; i < count; i++) this.#skipEntry(of, depth);
    } else if (kind === MAP) {
      const count = this.#varint();
      if (count > this.#bytes.length - this.at) throw new CutOff(`a map in its headers claims ${count} entries`);
      const kinds = count === 0 ? 0 : this.#byte();
      for (let i = 0; i < count; i++) {
        this.#skipEntry(kinds >> 4, depth);
        this.#skipEntry(kinds & 15, depth);
      }
    } else throw new Damage(`a field in its headers has kind ${kind}, which does not exist`);
  }

  /** Like `#skip`, where a boolean takes a byte. */
  #skipEntry(kind: number, depth: number): void {
    if (depth > DEEPEST) throw new Damage(`its headers are over ${DEEPEST} levels deep`);
    if (kind === 1 || kind === 2) this.#step(1);
    else this.#skip(kind, depth + 1);
  }

  #byte(): number {
    return this.#bytes[this.#step(1) - 1];
  }

  /** Skips this many bytes, which must exist. */
  #step(count: number): number {
    if (count > this.#bytes.length - this.at) throw new CutOff("its headers end in the middle");
    this.at += count;
    return this.at;
  }

  #varint(): number {
    let value = 0;
    for (let scale = 1; scale < 2 ** 70; scale *= 128) {
      const byte = this.#byte();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
    throw new Damage("a number in its headers never ends");
  }
}
