/** The bytes of a download as they arrive: stored part by part while the browser has room, else held in memory. */
import { showBytes } from "../tensor/free-memory.ts";
import type { FilesOptions } from "./files.ts";
import type { FileRecord, StoredFile, StoredVersion } from "./web-stored-file.ts";

/** A part is stored once it has this many bytes, or is this old: so little is lost if the page is closed. */
const PART_BYTES = 16_000_000;
export const PART_MS = 3000;

export class Arriving {
  /** The bytes that have arrived. */
  bytes = 0;
  record: FileRecord | undefined;
  #parts: Blob[] = [];
  #chunks: Uint8Array<ArrayBuffer>[] = [];
  #waiting = 0;
  #since = 0;
  #stored: StoredFile | undefined;
  readonly #note: FilesOptions["note"];

  readonly #of: string;

  /**
   * @param of the model, in a note
   * @param stored where they are stored; undefined if nothing is
   */
  constructor(of: string, stored: StoredFile | undefined, note: FilesOptions["note"]) {
    this.#of = of;
    this.#stored = stored;
    this.#note = note;
  }

  /** Continues with what an earlier download stored. */
  resume({ record, blob }: StoredVersion): void {
    this.record = record;
    this.#parts = [blob];
    this.bytes = blob.size;
  }

  /** Discards everything, for another version of the file. */
  async begin(record: FileRecord): Promise<void> {
    this.record = record;
    this.#parts = [];
    this.#chunks = [];
    this.#waiting = 0;
    this.bytes = 0;
    await this.#ifRoom((stored) => stored.begin(record));
  }

  /** Discards everything, and leaves nothing in the store. */
  async discard(): Promise<void> {
    this.record = undefined;
    this.bytes = 0;
    this.#parts = [];
    this.#chunks = [];
    this.#waiting = 0;
    await this.#stored?.remove();
  }

  async add(chunk: Uint8Array): Promise<void> {
    if (this.#waiting === 0) this.#since = performance.now();
    this.#chunks.push(chunk as Uint8Array<ArrayBuffer>);
    this.#waiting += chunk.length;
    this.bytes += chunk.length;
    if (this.#waiting >= PART_BYTES || performance.now() - this.#since > PART_MS) await this.flush();
  }

  /** Stores what has arrived since the last part. */
  async flush(): Promise<void> {
    if (this.#waiting === 0) return;
    // The blob belongs to the browser: its contents need not be in memory.
    const chunks = this.#chunks;
    this.#chunks = [];
    this.#waiting = 0;
    const at = this.#parts.push(new Blob(chunks)) - 1;
    await this.#ifRoom(async (stored) => {
      this.#parts[at] = (await stored.append(chunks)) ?? this.#parts[at];
    });
  }

  /** The whole file, once all of it has arrived. */
  async finish(): Promise<Blob> {
    await this.flush();
    await this.#ifRoom((stored) => stored.write({ ...this.record!, size: this.bytes, complete: true }));
    return new Blob(this.#parts);
  }

  /** Whether what has arrived will be here at the next visit. */
  get isStored(): boolean {
    return this.#stored !== undefined;
  }

  /** Once the browser has no room, the rest stays in memory. */
  async #ifRoom(write: (stored: StoredFile) => Promise<void>): Promise<void> {
    if (!this.#stored) return;
    try {
      await write(this.#stored);
    } catch (error) {
      this.#stored = undefined;
      const { path, size } = this.record!;
      const length = size === undefined ? "" : ` (${showBytes(size)})`;
      const { name, message = String(error) } = error as Error;
      const why =
        name === "QuotaExceededError"
          ? "the browser has no room for it"
          : `the browser does not store it (${message.replace(/\.$/, "")})`;
      this.#note?.(
        `${path} of ${this.#of}${length} is held in memory and will be downloaded again at the next visit, because ${why}. Models that are not needed can be deleted (deleteStored).`,
      );
    }
  }
}
