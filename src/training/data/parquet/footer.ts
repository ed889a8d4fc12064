/** The footer of a Parquet file: its columns, and where each row group has one of them. */
import type { ByteSource } from "../../../load/bytes.ts";
import { showBytes } from "../../../tensor/free-memory.ts";
import { shortened } from "../../../tensor/show.ts";
import { Compact } from "./compact.ts";
import { Damage, Unread } from "./damage.ts";

/** How many bytes are read from the end first: most footers fit in them. */
const FIRST_READ = 2 ** 19;
/** The most bytes in a footer. Ten thousand columns in a thousand row groups take this many. */
const LONGEST = 2 ** 30;
/** The most columns that an error lists. */
const MOST_NAMES = 1000;

/** A column, as described in the schema. */
export interface Column {
  /** An example value of the column's type, if it is not text. */
  readonly other?: unknown;
  /** Whether rows may be null. */
  readonly optional: boolean;
}

/** A row group, and its part of one column. */
export interface Group {
  readonly rows: number;
  /** @throws if it has none */
  chunk(): Chunk;
}

/** Where a row group stores a column. */
export interface Chunk {
  readonly rows: number;
  readonly codec: number;
  readonly start: number;
  readonly end: number;
}

/** The bytes of a footer, read only as far as needed. */
export class Footer {
  readonly #bytes: Uint8Array;
  readonly #size: number;
  /** Where the list of the schema's elements begins. */
  readonly #schema: number;
  readonly #groups: number;

  private constructor(bytes: Uint8Array, size: number) {
    this.#bytes = bytes;
    this.#size = size;
    const found = new Map<number, number>();
    const reader = new Compact(bytes);
    // Anything after both is ignored.
    class Enough extends Error {}
    try {
      reader.struct((id, kind) => {
        if (id !== 2 && id !== 4) return false;
        if (kind !== 9) throw new Damage("its footer has no list where there should be one");
        if (found.has(id)) throw new Damage("its footer has a list twice");
        found.set(id, reader.at);
        if (found.size === 2) throw new Enough();
        return false;
      });
      throw new Damage(`its footer has no ${found.has(2) ? "row groups" : "schema"}`);
    } catch (error) {
      if (!(error instanceof Enough)) throw error;
    }
    this.#schema = found.get(2)!;
    this.#groups = found.get(4)!;
  }

  static async read(source: ByteSource, signal: AbortSignal | undefined): Promise<Footer> {
    const { size } = source;
    if (size < 12) throw new Damage("it is too short");
    const start = Math.max(0, size - FIRST_READ);
    const tail = await source.read(start, size, signal);
    const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength);
    const magic = String.fromCharCode(...tail.subarray(-4));
    if (magic === "PARE") throw new Unread("its footer is encrypted");
    if (magic !== "PAR1") throw new Damage("it does not end like a Parquet file: perhaps its end is missing");
    const length = view.getUint32(tail.length - 8, true);
    const from = size - 8 - length;
    if (from < 4) throw new Damage(`its footer claims ${showBytes(length)}, but the file has only ${showBytes(size)}`);
    if (length > LONGEST) {
      throw new Unread(`its footer has ${showBytes(length)}, but at most ${showBytes(LONGEST)} are read`);
    }
    const bytes = from >= start ? tail.subarray(from - start, -8) : await source.read(from, size - 8, signal);
    return new Footer(bytes, size);
  }

  /** The column with that name, or undefined if there is none. */
  column(name: string): Column | undefined {
    const wanted = new TextEncoder().encode(name);
    let found: Column | undefined;
    for (const element of this.#topLevel()) {
      if (!same(element.name, wanted)) continue;
      if (found) throw new Unread(`it has two columns "${shortened(name, 80)}"`);
      found = { optional: element.repetition === 1, ...otherThanText(element) };
    }
    return found;
  }

  /** The columns' names, the first thousand of them. */
  names(): string[] {
    const names: string[] = [];
    for (const { name } of this.#topLevel()) {
      if (names.push(shortened(new TextDecoder().decode(name.subarray(0, 400)), 100)) === MOST_NAMES) break;
    }
    return names;
  }

  /** The row groups, one after the other, each with the location of the column. */
  *groups(name: string): Generator<Group> {
    const wanted = new TextEncoder().encode(name);
    const reader = new Compact(this.#bytes, this.#groups);
    const { kind, count } = reader.list(9);
    if (count > 0 && kind !== 12) throw new Damage("its list of row groups contains something else");
    for (let i = 0; i < count; i++) yield this.#group(reader, wanted);
  }

  #group(reader: Compact, wanted: Uint8Array): Group {
    let rows: number | undefined;
    let chunk: ReturnType<typeof readChunk>;
    reader.struct((id, kind) => {
      if (id === 3) rows = reader.integer(kind);
      else if (id === 1) {
        reader.structs(kind, () => {
          const read = readChunk(reader, wanted);
          if (read && chunk) throw new Damage("a row group has a column twice");
          chunk ??= read;
        });
      } else return false;
      return true;
    });
    if (rows === undefined || !Number.isSafeInteger(rows) || rows < 0) {
      throw new Damage(`a row group has ${rows ?? "no count of"} rows`);
    }
    const count = rows;
    return { rows: count, chunk: () => this.#placed(count, chunk) };
  }

  #placed(rows: number, chunk: ReturnType<typeof readChunk>): Chunk {
    if (!chunk) throw new Damage("a row group lacks the column");
    const { codec, data, dictionary, size } = chunk;
    const start = dictionary > 0 && dictionary < data ? dictionary : data;
    const end = start + size;
    if (!(start >= 4 && size >= 0 && end <= this.#size - 8)) {
      throw new Damage(`a column is said to be at bytes ${start} to ${end}, but the file has only ${this.#size}`);
    }
    return { rows, codec, start, end };
  }

  /** The children of the schema's root. */
  *#topLevel(): Generator<Element> {
    const reader = new Compact(this.#bytes, this.#schema);
    const { kind, count } = reader.list(9);
    if (count === 0 || kind !== 12) throw new Damage("its schema is empty");
    readElement(reader); // the root
    let below = 0; // elements still to come under the top-level one
    for (let i = 1; i < count; i++) {
      const element = readElement(reader);
      if (below === 0) yield element;
      else below--;
      below += element.children;
      if (below > count) break;
    }
    if (below > 0) throw new Damage("its schema claims more columns than it has");
  }
}

interface Element {
  readonly name: Uint8Array;
  readonly type: number | undefined;
  readonly repetition: number;
  readonly children: number;
  readonly converted: number | undefined;
  readonly logical: number | undefined;
}

function readElement(reader: Compact): Element {
  let name: Uint8Array | undefined;
  const numbers: (number | undefined)[] = [];
  let logical: number | undefined;
  reader.struct((id, kind) => {
    if (id === 4) name = reader.binary(kind);
    else if (id === 1 || id === 3 || id === 5 || id === 6) numbers[id] = reader.integer(kind);
    else {
      if (id !== 10 || kind !== 12) return false;
      reader.struct((which) => {
        logical = which;
        return false;
      });
    }
    return true;
  });
  if (!name) throw new Damage("a column of its schema has no name");
  const [, type, , repetition = 0, , children = 0, converted] = numbers;
  if (children < 0) throw new Damage("a column of its schema has a negative number of children");
  return { name, type, repetition, children, converted, logical };
}

function readChunk(reader: Compact, wanted: Uint8Array) {
  let elsewhere = false;
  let matches = false;
  let encrypted = true;
  const numbers: (number | undefined)[] = [];
  reader.struct((id, kind) => {
    if (id === 1) {
      elsewhere = reader.binary(kind).length > 0;
      return true;
    }
    if (id !== 3 || kind !== 12) return false;
    encrypted = false;
    reader.struct((field, of) => {
      if (field === 3) {
        const { kind: names, count } = reader.list(of);
        for (let i = 0; i < count; i++) {
          const name = reader.binary(names);
          matches = i === 0 && count === 1 && same(name, wanted);
        }
      } else if (field === 4 || field === 7 || field === 9 || field === 11) numbers[field] = reader.integer(of);
      else return false;
      return true;
    });
    return true;
  });
  if (encrypted) throw new Unread("its columns are encrypted");
  if (!matches) return undefined;
  if (elsewhere) throw new Unread("its columns are in other files");
  const [, , , , codec, , , size, , data, , dictionary = 0] = numbers;
  if (codec === undefined || size === undefined || data === undefined) {
    throw new Damage("a row group does not say where its column is");
  }
  return { codec, size, data, dictionary };
}

/** An example value of such a column, if it is not text. */
function otherThanText({ type, repetition, children, converted, logical }: Element): { other?: unknown } {
  if (children > 0) return { other: converted === 3 || logical === 3 || repetition === 2 ? [] : {} };
  if (repetition === 2) return { other: [] };
  if (type === 0) return { other: true };
  if (type === 1 || type === 4 || type === 5) return { other: converted === 6 ? {} : 0 };
  if (type === 2) return { other: converted === 9 || converted === 10 || logical === 8 ? {} : 0n };
  if (type !== 6) return { other: {} };
  // Bytes without an annotation are texts from old writers. Decimals are numbers; JSON, BSON and geometries are objects.
  if (converted === 5 || logical === 5) return { other: 0 };
  const object = [19, 20, 21].includes(converted ?? -1) || [12, 13, 16, 17, 18].includes(logical ?? -1);
  return object ? { other: {} } : {};
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
