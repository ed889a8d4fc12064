/** The texts of a column in one row group, a few at a time. */
import type { ByteSource } from "../../../load/bytes.ts";
import { unpack } from "./codecs.ts";
import { Damage, Unread } from "./damage.ts";
import type { Chunk, Column } from "./footer.ts";
import { type Page, Pages } from "./pages.ts";
import { Runs } from "./runs.ts";
import { BATCH, type Batch, dictionaryOf, type Values, valuesOf } from "./values.ts";

/** A page, unpacked. */
interface Open {
  /** How many rows have not been read yet. */
  left: number;
  readonly values: Values;
  /** Which rows are not null; undefined if the column has no nulls. */
  readonly present: Runs | undefined;
}

export class ColumnTexts {
  readonly #pages: Pages;
  readonly #source: ByteSource;
  readonly #column: Column;
  readonly #codec: number;
  #left: number;
  #dictionary: Batch | undefined;
  #page: Open | undefined;
  /** How many rows are known to have texts, before a null. */
  #present = 0;
  #nullNext = false;
  readonly #flags = new Uint32Array(BATCH);

  constructor(source: ByteSource, column: Column, chunk: Chunk, signal: AbortSignal | undefined) {
    this.#pages = new Pages(source, chunk, signal);
    this.#source = source;
    this.#column = column;
    this.#codec = chunk.codec;
    this.#left = chunk.rows;
  }

  /** The next texts, at most `most` of them: undefined after the last row, null if the next row is null. */
  async next(most: number): Promise<Batch | null | undefined> {
    if (this.#left === 0) return undefined;
    let dictionaryBytes = 0;
    while (!this.#page || this.#page.left === 0) {
      const page = await this.#pages.next();
      if (!page) throw new Damage(`a row group ends ${this.#left} rows before it should`);
      if (page.dictionary) dictionaryBytes += this.#openDictionary(page);
      else this.#page = this.#open(page);
    }
    const page = this.#page;
    const wanted = Math.min(most, BATCH, page.left);
    const present = page.present ? this.#presentRows(page.present, wanted) : wanted;
    if (present === 0) return null;
    const { texts, bytes } = page.values.read(present);
    page.left -= texts.length;
    this.#left -= texts.length;
    this.#present -= page.present ? texts.length : 0;
    return { texts, bytes: bytes + dictionaryBytes };
  }

  /** How many of the next rows come before a null. */
  #presentRows(levels: Runs, wanted: number): number {
    if (this.#present === 0 && !this.#nullNext) {
      levels.read(this.#flags, wanted);
      const first = this.#flags.subarray(0, wanted).findIndex((level) => level !== 1);
      this.#present = first < 0 ? wanted : first;
      this.#nullNext = first >= 0;
    }
    return Math.min(this.#present, wanted);
  }

  #openDictionary(page: Page): number {
    if (this.#dictionary) throw new Damage("a column has two dictionaries");
    if (page.encoding !== 0 && page.encoding !== 2) {
      throw new Unread(`its dictionaries are written in encoding ${page.encoding}`);
    }
    this.#dictionary = dictionaryOf(this.#unpacked(page), page.values);
    return this.#dictionary.bytes;
  }

  #open(page: Page): Open {
    if (page.values > this.#left) throw new Damage("a row group has more rows than it should");
    let body = this.#unpacked(page);
    let levels = page.levels;
    if (this.#column.optional && !levels) {
      if (page.levelEncoding === 4) throw new Unread("its levels are written in an unsupported encoding");
      if (body.length < 4) throw new Damage("a page has no levels");
      const length = new DataView(body.buffer, body.byteOffset).getUint32(0, true);
      if (length > body.length - 4) throw new Damage("a page's levels go past its end");
      levels = body.subarray(4, 4 + length);
      body = body.subarray(4 + length);
    }
    const present = this.#column.optional ? new Runs(levels!, 0, levels!.length, 1) : undefined;
    // A page with only nulls has no values, and no dictionary for them.
    const values = lazily(() => valuesOf(page.encoding, body, page.values, this.#dictionary));
    return { left: page.values, values, present };
  }

  #unpacked({ body, size, packed }: Page): Uint8Array {
    return unpack(packed ? this.#codec : 0, body, size, this.#source.name);
  }
}

function lazily(make: () => Values): Values {
  let values: Values | undefined;
  return {
    read(most) {
      values ??= make();
      return values.read(most);
    },
  };
}
