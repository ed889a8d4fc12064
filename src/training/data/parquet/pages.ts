/** The pages of a column in a row group, read one after the other: only as much of the file is read as their texts need. */
import type { ByteSource } from "../../../load/bytes.ts";
import { crc32 } from "../../../load/crc32.ts";
import { Compact, CutOff } from "./compact.ts";
import { Damage } from "./damage.ts";
import type { Chunk } from "./footer.ts";

/** The bytes of the first read of a column; later ones are longer. */
const FIRST_READ = 2 ** 20;
const READ = 2 ** 23;
/** The most bytes in a page's header, which sometimes includes the smallest and largest text. */
const LONGEST_HEADER = 2 ** 26;

const DATA = 0;
const DICTIONARY = 2;
const DATA_V2 = 3;

/** What a page's header says, and the page. */
export interface Page {
  readonly dictionary: boolean;
  readonly values: number;
  readonly encoding: number;
  /** The bytes once unpacked, without levels that are not packed. */
  readonly size: number;
  readonly packed: boolean;
  /** Levels in front that are never packed, for pages of version 2. */
  readonly levels: Uint8Array | undefined;
  /** The encoding of levels that are packed with the rest. */
  readonly levelEncoding?: number | boolean | undefined;
  readonly body: Uint8Array;
}

export class Pages {
  readonly #source: ByteSource;
  readonly #signal: AbortSignal | undefined;
  readonly #end: number;
  /** The bytes in memory, and where they begin in the file. */
  #bytes: Uint8Array = new Uint8Array();
  #start: number;
  #read = FIRST_READ;

  constructor(source: ByteSource, { start, end }: Chunk, signal: AbortSignal | undefined) {
    this.#source = source;
    this.#signal = signal;
    this.#start = start;
    this.#end = end;
  }

  /** The next page with texts or with a dictionary; undefined after the last. */
  async next(): Promise<Page | undefined> {
    while (this.#start < this.#end) {
      const header = await this.#header();
      const { type, packed, size, crc } = header;
      if (!(packed >= 0 && size >= 0)) throw new Damage("a page has a negative number of bytes");
      if (packed > this.#end - this.#start) throw new Damage("a page goes past the end of its column");
      if (type !== DATA && type !== DICTIONARY && type !== DATA_V2) {
        await this.#drop(packed);
        continue;
      }
      await this.#need(packed);
      const bytes = this.#bytes.subarray(0, packed);
      this.#bytes = this.#bytes.subarray(packed);
      this.#start += packed;
      if (crc !== undefined && crc32(bytes) !== crc >>> 0)
        throw new Damage("a page's checksum does not match its bytes");
      return pageOf(header, bytes);
    }
    return undefined;
  }

  async #header(): Promise<Header> {
    for (let want = 64; ; want = Math.min(2 * want, LONGEST_HEADER)) {
      await this.#need(Math.min(want, this.#end - this.#start));
      const reader = new Compact(this.#bytes);
      try {
        const header = readHeader(reader);
        this.#bytes = this.#bytes.subarray(reader.at);
        this.#start += reader.at;
        return header;
      } catch (error) {
        const all = this.#bytes.length >= this.#end - this.#start || this.#bytes.length >= LONGEST_HEADER;
        if (!(error instanceof CutOff) || all) throw error;
        want = Math.max(want, this.#bytes.length);
      }
    }
  }

  /** Makes sure that this many bytes are in memory, and more after them if there are any. */
  async #need(count: number): Promise<void> {
    const have = this.#bytes.length;
    if (have >= count) return;
    const from = this.#start + have;
    const to = Math.min(this.#end, Math.max(this.#start + count, from + this.#read));
    this.#read = READ;
    const more = await this.#source.read(from, to, this.#signal);
    if (have === 0) this.#bytes = more;
    else {
      const both = new Uint8Array(have + more.length);
      both.set(this.#bytes);
      both.set(more, have);
      this.#bytes = both;
    }
  }

  async #drop(count: number): Promise<void> {
    this.#bytes = this.#bytes.subarray(Math.min(count, this.#bytes.length));
    this.#start += count;
  }
}

interface Header {
  readonly type: number;
  readonly size: number;
  readonly packed: number;
  readonly crc: number | undefined;
  /** The fields of the struct that describes the page's kind, by number. */
  readonly of: ReadonlyMap<number, number | boolean>;
}

/** Where a header describes each kind of page. */
const FIELD_OF: Readonly<Record<number, number>> = { 5: DATA, 7: DICTIONARY, 8: DATA_V2 };

function readHeader(reader: Compact): Header {
  const numbers: (number | undefined)[] = [];
  const kinds = new Map<number, Map<number, number | boolean>>();
  reader.struct((id, kind) => {
    if (id >= 1 && id <= 4) numbers[id] = reader.integer(kind);
    else if (FIELD_OF[id] !== undefined && kind === 12) {
      const fields = new Map<number, number | boolean>();
      kinds.set(FIELD_OF[id], fields);
      reader.struct((field, of) => {
        if (field > 7 || field < 1 || (of >= 7 && of !== 13)) return false;
        fields.set(field, of === 1 || of === 2 ? reader.flag(of) : reader.integer(of));
        return true;
      });
    } else return false;
    return true;
  });
  const [, type, size, packed, crc] = numbers;
  if (type === undefined || size === undefined || packed === undefined) {
    throw new Damage("a page's header does not say what it is");
  }
  return { type, size, packed, crc, of: kinds.get(type) ?? new Map() };
}

function pageOf({ type, size, of }: Header, bytes: Uint8Array): Page {
  const number = (field: number): number => {
    const value = of.get(field);
    if (typeof value !== "number") throw new Damage("a page's header does not say what it contains");
    return value;
  };
  const values = number(1);
  if (values < 0) throw new Damage(`a page claims ${values} values`);
  if (type !== DATA_V2) {
    const dictionary = type === DICTIONARY;
    const levelEncoding = dictionary ? undefined : of.get(3);
    return {
      dictionary,
      values,
      encoding: number(2),
      size,
      packed: true,
      levels: undefined,
      levelEncoding,
      body: bytes,
    };
  }
  const defined = number(5);
  const repeated = number(6);
  const both = defined + repeated;
  if (!(defined >= 0 && repeated >= 0 && both <= bytes.length && both <= size)) {
    throw new Damage("a page's levels go past its end");
  }
  return {
    dictionary: false,
    values,
    encoding: number(4),
    size: size - both,
    packed: of.get(7) !== false,
    levels: bytes.subarray(repeated, both),
    body: bytes.subarray(both),
  };
}
