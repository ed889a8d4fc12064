/**
 * The entries of a zip file, read in pieces and checked against their checksums. PyTorch stores entries unpacked; packed ones are
 * read too, since somebody may have zipped a checkpoint again, but none may unpack to more than 20 times its size.
 */
import { GlassformerError } from "../tensor/errors.ts";
import { shown } from "../tensor/show.ts";
import { type ByteSource, readInto } from "./bytes.ts";
import { crc32 } from "./crc32.ts";
import { contentStart, LOCAL_HEADER, readZipDirectory, refuseZip, type ZipEntry } from "./zip-directory.ts";

/** The bytes that small reads fetch together, since entries are read in the order of their bytes. */
const WINDOW = 4 << 20;
/** The bytes of a piece of an entry; a multiple of every number's size. */
const PIECE = 1 << 20;
/** The bytes of a large entry between two updates of the checksum. */
const STRIDE = 16 << 20;
const MOST_UNPACKED = 20;
const SMALL = 1024;

/** Receives the bytes of an entry from `at` on. They are only valid during the call: the next piece reuses the memory. */
export type TakePiece = (bytes: Uint8Array, at: number) => void;

export class ZipFile {
  readonly source: ByteSource;
  readonly entries: ReadonlyMap<string, ZipEntry>;
  readonly #signal: AbortSignal | undefined;
  /** True for an archive that was written without checksums: torch.serialization.set_crc32_options(False). */
  readonly #unchecked: boolean;
  /** The memory for all small reads, and which bytes of the file are in it. */
  #memory = new Uint8Array(0);
  #window = this.#memory;
  #windowStart = 0;

  private constructor(source: ByteSource, entries: ReadonlyMap<string, ZipEntry>, signal: AbortSignal | undefined) {
    this.source = source;
    this.entries = entries;
    this.#signal = signal;
    this.#unchecked = entries.size > 1 && [...entries.values()].every(({ crc }) => crc === 0);
  }

  /**
   * @param small the bytes that any entry may unpack to
   * @throws FileFormatError for a file that is not a whole zip, has an entry twice, or one that would unpack to far more than it has
   */
  static async open(source: ByteSource, signal?: AbortSignal, small = SMALL): Promise<ZipFile> {
    const entries = await readZipDirectory(source, signal);
    for (const { name, deflated, size, packed } of entries.values()) {
      if (deflated && size > MOST_UNPACKED * packed + small) {
        const why = `entry ${shown(name)} would unpack ${packed} bytes to ${size}, more than ${MOST_UNPACKED} times as many`;
        refuseZip(source, why, size);
      }
    }
    return new ZipFile(source, entries, signal);
  }

  /** Fills `into`, which has the entry's length, with its content. @throws FileFormatError if the checksum differs */
  async readInto(entry: ZipEntry, into: Uint8Array): Promise<void> {
    if (entry.deflated || entry.size <= WINDOW) return this.pieces(entry, (bytes, at) => into.set(bytes, at));
    const start = await this.#contentStart(entry);
    const here = await this.#read(start, Math.min(start + into.length, this.#windowStart + this.#window.length));
    into.set(here);
    let sum = this.#unchecked ? 0 : crc32(here);
    for (let at = here.length; at < into.length; at += STRIDE) {
      const piece = into.subarray(at, at + STRIDE);
      await readInto(this.source, start + at, piece, this.#signal);
      if (!this.#unchecked) sum = crc32(piece, sum);
    }
    this.#check(entry, sum);
  }

  /** Passes on the content in pieces of 1 MB, except for the last. @throws FileFormatError at the end, if the checksum differs */
  async pieces(entry: ZipEntry, take: TakePiece): Promise<void> {
    let sum = 0;
    const piece = new Uint8Array(Math.min(PIECE, entry.size));
    let filled = 0;
    let taken = 0;
    const flush = () => {
      const bytes = piece.subarray(0, filled);
      if (!this.#unchecked) sum = crc32(bytes, sum);
      take(bytes, taken);
      taken += filled;
      filled = 0;
    };
    const add = (bytes: Uint8Array) => {
      if (taken + filled + bytes.length > entry.size) {
        refuseZip(this.source, `entry ${shown(entry.name)} unpacks to more than the ${entry.size} bytes it announces`);
      }
      for (let from = 0; from < bytes.length; ) {
        const part = bytes.subarray(from, from + piece.length - filled);
        piece.set(part, filled);
        filled += part.length;
        from += part.length;
        if (filled === piece.length) flush();
      }
    };
    const start = await this.#contentStart(entry);
    if (entry.deflated) await this.#inflate(entry, start, add);
    else {
      for (let at = 0; at < entry.size; at += PIECE) {
        add(await this.#read(start + at, start + Math.min(at + PIECE, entry.size)));
      }
    }
    if (filled > 0) flush();
    if (taken !== entry.size) {
      refuseZip(this.source, `entry ${shown(entry.name)} has ${taken} bytes, but announces ${entry.size}`, taken);
    }
    this.#check(entry, sum);
  }

  #check(entry: ZipEntry, sum: number): void {
    if (this.#unchecked || sum === entry.crc) return;
    refuseZip(
      this.source,
      `the bytes of entry ${shown(entry.name)} do not match their checksum: download the file again`,
      sum,
    );
  }

  async #contentStart(entry: ZipEntry): Promise<number> {
    const fixed = await this.#read(entry.start, entry.start + LOCAL_HEADER);
    const view = new DataView(fixed.buffer, fixed.byteOffset, fixed.byteLength);
    const end = entry.start + LOCAL_HEADER + view.getUint16(26, true) + view.getUint16(28, true);
    return contentStart(this.source, entry, await this.#read(entry.start, Math.min(end, entry.limit)));
  }

  async #inflate(entry: ZipEntry, start: number, add: (bytes: Uint8Array) => void): Promise<void> {
    const stream = new DecompressionStream("deflate-raw");
    const writer = stream.writable.getWriter();
    const feed = async () => {
      for (let at = 0; at < entry.packed; at += PIECE) {
        const bytes = await this.#read(start + at, start + Math.min(at + PIECE, entry.packed));
        await writer.write(new Uint8Array(bytes));
      }
      await writer.close();
    };
    const fed = feed();
    fed.catch(() => {}); // reported below, after any reading error
    const reader = stream.readable.getReader();
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        add(value);
      }
      await fed;
    } catch (cause) {
      await Promise.allSettled([reader.cancel(), writer.abort()]);
      this.#signal?.throwIfAborted();
      if (cause instanceof GlassformerError) throw cause;
      refuseZip(this.source, `entry ${shown(entry.name)} cannot be unpacked`, entry.name);
    }
  }

  /** A few bytes, from the window if it has them. The result is a view: copy what must last. */
  async #read(start: number, end: number): Promise<Uint8Array> {
    if (start < this.#windowStart || end > this.#windowStart + this.#window.length) {
      if (this.#memory.length === 0) this.#memory = new Uint8Array(Math.min(WINDOW, this.source.size));
      this.#window = this.#memory.subarray(0, this.source.size - start);
      this.#windowStart = start;
      await readInto(this.source, start, this.#window, this.#signal);
    }
    return this.#window.subarray(start - this.#windowStart, end - this.#windowStart);
  }
}
