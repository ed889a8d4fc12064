/**
 * Reads a pickle as data. A pickle is a program for a small stack machine; this file has the instructions that
 * `torch.save` writes (protocols 1 to 5), and no others. The host decides what a name means and what calling it
 * returns: this machine builds lists, tuples and dictionaries, and never sets a field on anything.
 * Source: the opcodes of CPython's Lib/pickletools.py
 */
import { shown } from "../tensor/show.ts";

/** What a pickle may name, and what that gives. */
export interface PickleHost {
  /** Must throw for a forbidden name. */
  global(module: string, name: string): unknown;
  call(callee: unknown, args: readonly unknown[]): unknown;
  persistent(id: unknown): unknown;
  /** True for a host object on which a pickle may set fields. They are skipped; none is actually set. */
  hasFields(object: unknown): boolean;
}

/** Values that are not weights or parts of them: floats, bytes, integers beyond 2^53, sets. Never computed. */
export const OTHER = Symbol("a value that is not a weight");

/** A list. Tuples are plain arrays. The private field proves that this file made it. */
export class PickleList {
  #items: unknown[] | undefined; // created with the first item: most lists and dictionaries in a checkpoint are empty
  static is(value: unknown): value is PickleList {
    return typeof value === "object" && value !== null && #items in value;
  }
  get items(): readonly unknown[] {
    return this.#items ?? [];
  }
  add(item: unknown): void {
    this.#items ??= [];
    this.#items.push(item);
  }
}

/** A dictionary, in the order in which it was filled. */
export class PickleDict {
  #entries: Map<string | number, unknown> | undefined;
  #unnamed: unknown[] | undefined;
  static is(value: unknown): value is PickleDict {
    return typeof value === "object" && value !== null && #entries in value;
  }
  /** The entries whose key is a string or a whole number. */
  get entries(): ReadonlyMap<string | number, unknown> {
    return this.#entries ?? new Map();
  }
  /** The values under other keys. */
  get unnamed(): readonly unknown[] {
    return this.#unnamed ?? [];
  }
  /** @throws PickleError for a duplicate key: no writer does that */
  set(key: unknown, value: unknown): void {
    if (typeof key !== "string" && typeof key !== "number") {
      this.#unnamed ??= [];
      this.#unnamed.push(value);
      return;
    }
    this.#entries ??= new Map();
    if (this.#entries.has(key)) throw new PickleError(`a dictionary has the key ${shown(key)} twice`);
    this.#entries.set(key, value);
  }
}

/** Why a pickle cannot be read, without the file's name. */
export class PickleError extends Error {
  override name = "PickleError";
}

/** That the bytes end before the pickle does. */
export class PickleEnd extends PickleError {
  override name = "PickleEnd";
}

/** The approximate bytes that a value of each kind takes here, without those of its parts. */
const COST = { item: 16, memo: 48, text: 40, tuple: 48, list: 48, dict: 48, filled: 160, entry: 24, made: 80 };
/** The most values and marks on the stack. Python writes lists and dictionaries a thousand entries at a time. */
const HIGHEST_STACK = 300_000;
const LONGEST_NAME = 1000;

/**
 * The object that a pickle describes.
 * @param memory about how many bytes its objects may take
 * @throws PickleError for a broken pickle, or one that needs too much memory; what the host throws
 */
export function readPickle(bytes: Uint8Array, host: PickleHost, memory: number): unknown {
  return new Machine(bytes, host, memory).run();
}

/** As `readPickle`, for a pickle among others; with the place after its last byte. @throws PickleEnd if the bytes end before it does */
export function readPickleAt(
  bytes: Uint8Array,
  at: number,
  host: PickleHost,
  memory: number,
): { readonly value: unknown; readonly end: number } {
  const machine = new Machine(bytes, host, memory, at);
  const value = machine.run();
  return { value, end: machine.end };
}

class Machine {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #host: PickleHost;
  readonly #text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  readonly #stack: unknown[] = [];
  /** The heights of the stack at the open marks. */
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, unknown>();
  #left: number;
  #at: number;

  constructor(bytes: Uint8Array, host: PickleHost, memory: number, at = 0) {
    this.#bytes = bytes;
    this.#at = at;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#host = host;
    this.#left = memory;
  }

  /** The place after what was read. */
  get end(): number {
    return this.#at;
  }

  run(): unknown {
    for (;;) {
      const opcode = this.#byte();
      if (opcode === STOP) return this.#pop();
      this.#step(opcode);
    }
  }

  #step(opcode: number): void {
    const view = this.#view;
    switch (String.fromCharCode(opcode)) {
      // The frame of the program
      case "\x80": {
        const protocol = this.#byte();
        if (protocol > 5)
          throw new PickleError(`it uses protocol ${protocol}, but only protocols up to 5 are supported`);
        break;
      }
      case "\x95": // a frame: its length, not needed here
        this.#take(8);
        break;
      // Values
      case "N":
        this.#push(null);
        break;
      case "\x88":
        this.#push(true);
        break;
      case "\x89":
        this.#push(false);
        break;
      case "K":
        this.#push(this.#byte());
        break;
      case "M":
        this.#push(view.getUint16(this.#take(2), true));
        break;
      case "J":
        this.#push(view.getInt32(this.#take(4), true));
        break;
      case "\x8a":
        this.#long(this.#byte());
        break;
      case "\x8b":
        this.#long(this.#length(4));
        break;
      case "G":
        this.#take(8);
        this.#push(OTHER);
        break;
      case "I": {
        const line = this.#line();
        this.#push(line === "01" ? true : line === "00" ? false : wholeOrOther(line));
        break;
      }
      case "L":
        this.#push(wholeOrOther(this.#line(Infinity).replace(/L$/, "")));
        break;
      case "F":
        this.#line();
        this.#push(OTHER);
        break;
      case "X":
        this.#string(this.#length(4));
        break;
      case "\x8c":
        this.#string(this.#byte());
        break;
      case "\x8d":
        this.#string(this.#length(8));
        break;
      case "S": // strings of protocol 0: possibly bytes
      case "V":
        this.#line(Infinity);
        this.#push(OTHER);
        break;
      case "U":
        this.#oldString(this.#byte());
        break;
      case "T":
        this.#oldString(this.#length(4));
        break;
      case "C":
        this.#skip(this.#byte());
        break;
      case "B":
        this.#skip(this.#length(4));
        break;
      case "\x8e":
      case "\x96":
        this.#skip(this.#length(8));
        break;
      // Tuples, lists, dictionaries, sets
      case "(":
        this.#marks.push(this.#stack.length);
        this.#checkHeight(this.#marks.length);
        break;
      case ")":
        this.#tuple([]);
        break;
      case "t":
        this.#tuple(this.#popMark());
        break;
      case "\x85":
        this.#tuple(this.#popSome(1));
        break;
      case "\x86":
        this.#tuple(this.#popSome(2));
        break;
      case "\x87":
        this.#tuple(this.#popSome(3));
        break;
      case "]":
      case "l": {
        const items = opcode === EMPTY_LIST ? [] : this.#popMark();
        this.#spend(COST.list);
        this.#push(new PickleList());
        if (items.length > 0) this.#append(items);
        break;
      }
      case "a":
        this.#append(this.#popSome(1));
        break;
      case "e":
        this.#append(this.#popMark());
        break;
      case "}":
      case "d": {
        const items = opcode === EMPTY_DICT ? [] : this.#popMark();
        this.#spend(COST.dict);
        this.#push(new PickleDict());
        if (items.length > 0) this.#setItems(items);
        break;
      }
      case "s":
        this.#setItems(this.#popSome(2));
        break;
      case "u":
        this.#setItems(this.#popMark());
        break;
      case "\x8f":
        this.#push(OTHER);
        break;
      case "\x90":
        this.#popMark();
        if (this.#top() !== OTHER) throw new PickleError("it adds members to something that is not a set");
        break;
      case "\x91":
        this.#popMark();
        this.#push(OTHER);
        break;
      // The stack and the memo
      case "0":
        if (this.#marks.at(-1) === this.#stack.length) this.#marks.pop();
        else this.#pop();
        break;
      case "1":
        this.#popMark();
        break;
      case "2":
        this.#push(this.#top());
        break;
      case "q":
        this.#put(this.#byte());
        break;
      case "r":
        this.#put(view.getUint32(this.#take(4), true));
        break;
      case "p":
        this.#put(Number(this.#line()));
        break;
      case "\x94":
        this.#put(this.#memo.size);
        break;
      case "h":
        this.#get(this.#byte());
        break;
      case "j":
        this.#get(view.getUint32(this.#take(4), true));
        break;
      case "g":
        this.#get(Number(this.#line()));
        break;
      // Names, and what they make
      case "c":
        this.#push(this.#host.global(this.#line(), this.#line()));
        break;
      case "\x93": {
        const [module, name] = this.#popSome(2);
        if (typeof module !== "string" || typeof name !== "string") throw new PickleError("a name in it is not text");
        this.#push(this.#host.global(module, name));
        break;
      }
      case "i":
        this.#host.global(this.#line(), this.#line()); // so that the error names a forbidden name
        this.#unknown(opcode);
        break;
      case "R":
      case "\x81": {
        const [callee, args] = this.#popSome(2);
        if (!Array.isArray(args)) throw new PickleError("it calls something with arguments that are not a tuple");
        this.#spend(COST.made);
        this.#push(this.#host.call(callee, args));
        break;
      }
      case "Q":
        this.#spend(COST.made);
        this.#push(this.#host.persistent(this.#pop()));
        break;
      case "b": {
        // Fields set on an object: a state dict's _metadata, a parameter's attributes. Skipped.
        this.#pop();
        const built = this.#top();
        if (!PickleDict.is(built) && built !== OTHER && !this.#host.hasFields(built)) {
          throw new PickleError("it sets fields on something that has none");
        }
        break;
      }
      default:
        this.#unknown(opcode);
    }
  }

  #unknown(opcode: number): never {
    const code = `0x${opcode.toString(16)}`;
    throw new PickleError(`it has the instruction ${code}, which torch.save does not write; nothing was run`);
  }

  #spend(bytes: number): void {
    this.#left -= bytes;
    if (this.#left < 0) throw new PickleError("it describes more objects than a checkpoint of this size can have");
  }

  #checkHeight(height: number): void {
    if (height > HIGHEST_STACK) throw new PickleError(`it has over ${HIGHEST_STACK} values on its stack`);
  }

  #push(value: unknown): void {
    this.#stack.push(value);
    this.#checkHeight(this.#stack.length);
  }

  #top(): unknown {
    if (this.#stack.length <= (this.#marks.at(-1) ?? 0))
      throw new PickleError("its stack is empty where a value is needed");
    return this.#stack[this.#stack.length - 1];
  }

  #pop(): unknown {
    const value = this.#top();
    this.#stack.pop();
    return value;
  }

  #popSome(count: number): unknown[] {
    const from = this.#stack.length - count;
    if (from < (this.#marks.at(-1) ?? 0)) throw new PickleError("its stack is empty where a value is needed");
    return this.#stack.splice(from, count);
  }

  #popMark(): unknown[] {
    const mark = this.#marks.pop();
    if (mark === undefined) throw new PickleError("a mark is missing");
    return this.#stack.splice(mark);
  }

  #tuple(items: unknown[]): void {
    this.#spend(COST.tuple + COST.item * items.length);
    this.#push(items);
  }

  #append(items: readonly unknown[]): void {
    const list = this.#top();
    if (!PickleList.is(list)) throw new PickleError("it appends to something that is not a list");
    this.#spend(COST.item * items.length + (list.items.length === 0 ? COST.filled : 0));
    for (const item of items) list.add(item);
  }

  #setItems(items: readonly unknown[]): void {
    const dict = this.#top();
    if (!PickleDict.is(dict) || items.length % 2 !== 0)
      throw new PickleError("it fills something that is not a dictionary");
    this.#spend(COST.entry * items.length + (dict.entries.size === 0 ? COST.filled : 0));
    for (let i = 0; i < items.length; i += 2) dict.set(items[i], items[i + 1]);
  }

  #put(index: number): void {
    if (!Number.isSafeInteger(index) || index < 0) throw new PickleError("an index of its memo is not a number");
    this.#spend(COST.memo);
    this.#memo.set(index, this.#top());
  }

  #get(index: number): void {
    if (!this.#memo.has(index)) throw new PickleError(`it reads number ${index} of its memo, which was never stored`);
    this.#push(this.#memo.get(index));
  }

  /** The position of the next `count` bytes, which are then skipped. */
  #take(count: number): number {
    const at = this.#at;
    if (!(count <= this.#bytes.length - at)) throw new PickleEnd("it ends in the middle");
    this.#at = at + count;
    return at;
  }

  #byte(): number {
    return this.#bytes[this.#take(1)];
  }

  /** A length of 4 or 8 bytes, both unsigned, so that none is negative. */
  #length(size: 4 | 8): number {
    const at = this.#take(size);
    return size === 4 ? this.#view.getUint32(at, true) : Number(this.#view.getBigUint64(at, true));
  }

  #string(length: number): void {
    const at = this.#take(length);
    this.#spend(COST.text + length);
    const bytes = this.#bytes.subarray(at, at + length);
    let text: string;
    try {
      text = this.#text.decode(bytes);
    } catch {
      throw new PickleError("a text in it is not UTF-8");
    }
    this.#push(text);
  }

  /** A string of Python 2: a text if it is ASCII, as all names in checkpoints are; otherwise possibly bytes. */
  #oldString(length: number): void {
    const bytes = this.#bytes.subarray(this.#at, this.#at + length);
    if (bytes.every((byte) => byte < 128)) this.#string(length);
    else this.#skip(length);
  }

  #skip(length: number): void {
    this.#take(length);
    this.#push(OTHER);
  }

  /** A signed little-endian whole number of any length. One with more than 8 bytes is not part of a weight. */
  #long(length: number): void {
    const at = this.#take(length);
    if (length > 8) {
      this.#push(OTHER);
      return;
    }
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.#bytes[at + i]);
    const signed = Number(BigInt.asIntN(8 * length, value));
    this.#push(Number.isSafeInteger(signed) ? signed : OTHER);
  }

  /** The text up to the next line feed. */
  #line(longest = LONGEST_NAME): string {
    const end = this.#bytes.indexOf(10, this.#at);
    if (end < 0 && this.#bytes.length - this.#at <= longest) throw new PickleEnd("a line in it never ends");
    if (end < 0 || end - this.#at > longest) throw new PickleError("a line in it never ends");
    const bytes = this.#bytes.subarray(this.#at, Math.min(end, this.#at + LONGEST_NAME));
    this.#at = end + 1;
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  }
}

const STOP = ".".charCodeAt(0);
const EMPTY_LIST = "]".charCodeAt(0);
const EMPTY_DICT = "}".charCodeAt(0);

function wholeOrOther(digits: string): number | typeof OTHER {
  const value = /^-?\d{1,16}$/.test(digits) ? Number(digits) : Number.NaN;
  return Number.isSafeInteger(value) ? value : OTHER;
}
