/**
 * The texts of a page, a few at a time. A page may claim a billion of them in ten bytes, and be right: only as many
 * are made as are needed.
 */
import { Damage, Unread } from "./damage.ts";
import { Deltas } from "./deltas.ts";
import { Runs } from "./runs.ts";

/** How many texts are made at a time. */
export const BATCH = 8192;
/** A batch ends after this many bytes of text. */
const BATCH_BYTES = 16e6;
/** The longest text: V8 has the smallest limit of today's engines. */
const LONGEST_TEXT = 2 ** 29 - 24;

/** Texts, and the bytes of memory that only they use. */
export interface Batch {
  readonly texts: string[];
  readonly bytes: number;
}

/** Returns a page's texts in order: at least one, at most `most` (which is at most `BATCH`). */
export interface Values {
  read(most: number): Batch;
}

/** @param body what follows the page's levels; @param count how many texts it claims */
export function valuesOf(encoding: number, body: Uint8Array, count: number, dictionary: Batch | undefined): Values {
  switch (encoding) {
    case 0:
      return new Plain(body);
    case 2:
    case 8:
      if (!dictionary) throw new Damage("a page's texts are in a dictionary that does not exist");
      return new InDictionary(body, dictionary.texts);
    case 6:
    case 7:
      return new ByLengths(body, count, encoding === 7);
    default:
      throw new Unread(`its texts are written in encoding ${encoding}, which is not for texts`);
  }
}

/** All texts of a dictionary page. */
export function dictionaryOf(body: Uint8Array, count: number): Batch {
  // Each text has its length in front.
  if (count > body.length / 4)
    throw new Damage(`a dictionary claims ${count} texts, but has only ${body.length} bytes`);
  const plain = new Plain(body);
  const texts: string[] = [];
  let bytes = 0;
  while (texts.length < count) {
    const batch = plain.read(Math.min(BATCH, count - texts.length));
    for (const text of batch.texts) texts.push(text);
    bytes += batch.bytes;
  }
  return { texts, bytes };
}

/** Each text after its length. */
class Plain implements Values {
  readonly #body: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(body: Uint8Array) {
    this.#body = body;
    this.#view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  }

  read(most: number): Batch {
    const texts: string[] = [];
    const before = this.#at;
    while (texts.length < most && this.#at - before < BATCH_BYTES) {
      if (this.#at + 4 > this.#body.length) throw new Damage("a page has fewer texts than it claims");
      const start = this.#at + 4;
      const end = start + this.#view.getUint32(this.#at, true);
      if (end > this.#body.length) throw new Damage("a text goes past the end of its page");
      texts.push(decoded(this.#body.subarray(start, end)));
      this.#at = end;
    }
    return { texts, bytes: this.#at - before };
  }
}

/** Texts by their indices in a dictionary: they are the dictionary's own strings. */
class InDictionary implements Values {
  readonly #places: Runs;
  readonly #texts: readonly string[];
  readonly #found = new Uint32Array(BATCH);

  constructor(body: Uint8Array, texts: readonly string[]) {
    if (body.length === 0) throw new Damage("a page is empty");
    this.#places = new Runs(body, 1, body.length, body[0]);
    this.#texts = texts;
  }

  read(most: number): Batch {
    const texts: string[] = new Array(most);
    this.#places.read(this.#found, most);
    for (let i = 0; i < most; i++) {
      const text = this.#texts[this.#found[i]];
      if (text === undefined) {
        throw new Damage(`a text is number ${this.#found[i]} of a dictionary of ${this.#texts.length}`);
      }
      texts[i] = text;
    }
    return { texts, bytes: 0 };
  }
}

/** Lengths first, then the texts one after the other, or only the part of each that differs from the previous one. */
class ByLengths implements Values {
  readonly #body: Uint8Array;
  readonly #shared: Deltas | undefined;
  readonly #lengths: Deltas;
  readonly #length = new Int32Array(1);
  #at: number;
  /** The previous text, with room for longer ones. */
  #text = new Uint8Array(64);
  #textLength = 0;

  constructor(body: Uint8Array, count: number, sharing: boolean) {
    this.#body = body;
    this.#shared = sharing ? new Deltas(body, 0) : undefined;
    this.#lengths = new Deltas(body, this.#shared?.end() ?? 0);
    for (const lengths of [this.#shared, this.#lengths]) {
      // There are fewer if some are null.
      if (lengths && lengths.count > count) {
        throw new Damage(`a page claims ${count} texts, but ${lengths.count} lengths`);
      }
    }
    this.#at = this.#lengths.end();
  }

  read(most: number): Batch {
    const texts: string[] = [];
    let bytes = 0;
    while (texts.length < most && bytes < BATCH_BYTES) {
      const shared = this.#shared ? next(this.#shared, this.#length) : 0;
      const own = next(this.#lengths, this.#length);
      const end = this.#at + own;
      if (end > this.#body.length) throw new Damage("a text goes past the end of its page");
      if (shared > this.#textLength) throw new Damage("a text shares more with the previous one than that has");
      const piece = this.#body.subarray(this.#at, end);
      texts.push(decoded(this.#shared ? this.#changed(shared, piece) : piece));
      this.#at = end;
      bytes += shared + own;
    }
    return { texts, bytes };
  }

  /** The previous text, with everything from `shared` on replaced by `piece`. */
  #changed(shared: number, piece: Uint8Array): Uint8Array {
    const length = shared + piece.length;
    if (length > this.#text.length) {
      const longer = new Uint8Array(2 * length);
      longer.set(this.#text.subarray(0, shared));
      this.#text = longer;
    }
    this.#text.set(piece, shared);
    this.#textLength = length;
    return this.#text.subarray(0, length);
  }
}

function next(lengths: Deltas, into: Int32Array): number {
  lengths.read(into, 1);
  if (into[0] < 0) throw new Damage(`a text has a length of ${into[0]}`);
  return into[0];
}

const decoder = new TextDecoder("utf-8", { fatal: true });

function decoded(bytes: Uint8Array): string {
  if (bytes.length > LONGEST_TEXT)
    throw new Unread(`a text has ${bytes.length} bytes, more than a JavaScript string can hold`);
  try {
    return decoder.decode(bytes);
  } catch {
    throw new Unread("its column has bytes that are not UTF-8 text");
  }
}
