/** The values of a GGUF file's header: whole numbers, floats, flags, texts, and lists of one kind of them. */
import { shown } from "../tensor/show.ts";

/** A whole number that does not fit 53 bits is a bigint. */
export type GgufValue = number | bigint | boolean | string | GgufList;
export type GgufList = readonly (number | bigint | boolean | string | GgufList)[] | Float32Array | Int32Array;

/** Why a header cannot be read, without the file's name. */
export class GgufError extends Error {
  override name = "GgufError";
}

/** That a header goes beyond the bytes that were read. */
export class CursorEnd extends GgufError {
  override name = "CursorEnd";
}

/** A place in a header, moved on by each reading. */
export class Cursor {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #size: number;
  readonly #text = new TextDecoder("utf-8", { ignoreBOM: true });
  readonly #strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  #at = 0;

  /** @param size the whole file's, of which `bytes` are the first */
  constructor(bytes: Uint8Array, size: number) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#size = size;
  }

  get position(): number {
    return this.#at;
  }

  skip(count: number): void {
    this.#take(count);
  }

  uint32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  number(type: Exclude<Scalar, "bool" | "string" | "array">): number | bigint {
    const at = this.#take(SIZES[type]);
    switch (type) {
      case "uint8":
        return this.#view.getUint8(at);
      case "int8":
        return this.#view.getInt8(at);
      case "uint16":
        return this.#view.getUint16(at, true);
      case "int16":
        return this.#view.getInt16(at, true);
      case "uint32":
        return this.#view.getUint32(at, true);
      case "int32":
        return this.#view.getInt32(at, true);
      case "float32":
        return this.#view.getFloat32(at, true);
      case "float64":
        return this.#view.getFloat64(at, true);
      case "uint64":
        return safe(this.#view.getBigUint64(at, true));
      case "int64":
        return safe(this.#view.getBigInt64(at, true));
    }
  }

  /** A count, a length or a place, of 64 bits. @throws GgufError beyond 53 bits */
  whole(what: string): number {
    const value = this.#view.getBigUint64(this.#take(8), true);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new GgufError(`${what} is ${value}`);
    return Number(value);
  }

  /** How many of something come: no more than `most`, nor than there are bytes for. */
  count(what: string, most: number, bytesOfEach: number): number {
    const count = this.whole(`its count of ${what}`);
    const there = Math.min(most, Math.floor((this.#size - this.#at) / bytesOfEach));
    if (count > there) throw new GgufError(`it announces ${count} ${what}, but can have ${there} at most`);
    return count;
  }

  /** A text; bytes that are not UTF-8 become replacement characters, as some tokens have them. */
  text(): string {
    return this.#text.decode(this.#string());
  }

  /** A key or a tensor's name. @throws GgufError if it is not UTF-8, or too long */
  name(what: string, longest: number): string {
    const bytes = this.#string();
    if (bytes.length > longest) throw new GgufError(`${what} has a name of ${bytes.length} bytes`);
    try {
      return this.#strict.decode(bytes);
    } catch {
      throw new GgufError(`${what} has a name that is not UTF-8`);
    }
  }

  /** The next numbers as a typed array of their own. */
  floats(count: number): Float32Array {
    const at = this.#take(4 * count);
    return new Float32Array(new Uint8Array(this.#bytes.subarray(at, this.#at)).buffer);
  }
  ints(count: number): Int32Array {
    const at = this.#take(4 * count);
    return new Int32Array(new Uint8Array(this.#bytes.subarray(at, this.#at)).buffer);
  }

  #string(): Uint8Array {
    const length = this.count("bytes of a text", Number.MAX_SAFE_INTEGER, 1);
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  /** The place of the next `count` bytes, which are then behind. */
  #take(count: number): number {
    const at = this.#at;
    if (at + count > this.#bytes.length)
      throw new CursorEnd(`it ends at byte ${this.#size}, in the middle of its header`);
    this.#at = at + count;
    return at;
  }
}

function safe(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** The kinds of values in the order of their numbers in files. */
const TYPES = [
  "uint8",
  "int8",
  "uint16",
  "int16",
  "uint32",
  "int32",
  "float32",
  "bool",
  "string",
  "array",
  "uint64",
  "int64",
  "float64",
] as const;
type Scalar = (typeof TYPES)[number];

/** The bytes of each; of a text and a list the least. */
const SIZES: Readonly<Record<Scalar, number>> = {
  uint8: 1,
  int8: 1,
  uint16: 2,
  int16: 2,
  uint32: 4,
  int32: 4,
  float32: 4,
  bool: 1,
  string: 8,
  array: 12,
  uint64: 8,
  int64: 8,
  float64: 8,
};

/** Lists in lists: no writer makes more. */
const DEEPEST = 4;
/** The most entries of a list: no vocabulary or list of merges has more. */
const LONGEST_LIST = 16_000_000;

/** A value with its type before it. @param key its name in errors */
export function readValue(at: Cursor, key: string): GgufValue {
  return anyValue(at, typeOf(at, key), key, 0);
}

function typeOf(at: Cursor, key: string): Scalar {
  const type = at.uint32();
  if (type >= TYPES.length)
    throw new GgufError(`the setting ${shown(key)} has a value of type ${type}, which does not exist`);
  return TYPES[type];
}

function anyValue(at: Cursor, type: Scalar, key: string, depth: number): GgufValue {
  if (type === "string") return at.text();
  if (type === "bool") return flag(at, key);
  if (type !== "array") return at.number(type);
  if (depth === DEEPEST) throw new GgufError(`the setting ${shown(key)} nests more than ${DEEPEST} levels deep`);
  const of = typeOf(at, key);
  const count = at.count(`entries of ${shown(key)}`, LONGEST_LIST, SIZES[of]);
  if (of === "float32") return at.floats(count);
  if (of === "int32") return at.ints(count);
  const list: (number | bigint | boolean | string | GgufList)[] = [];
  for (let i = 0; i < count; i++) list.push(anyValue(at, of, key, depth + 1));
  return list;
}

function flag(at: Cursor, key: string): boolean {
  const value = at.number("uint8");
  if (value === 0 || value === 1) return value === 1;
  throw new GgufError(`the setting ${shown(key)} is ${value}, neither true (1) nor false (0)`);
}
