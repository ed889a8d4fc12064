/**
 * A file from a URL as a page stores it: a record of what it is, and its bytes in parts, in the order in which they arrived. A part is
 * never changed, so an interrupted download has everything up to its last part, and a file is read without being in memory.
 */
import type { BlobStore } from "./web-store.ts";

/** What is known about a stored file. */
export interface FileRecord {
  readonly url: string;
  /** The model that it belongs to: a folder's URL, or an id on the hub; and its path there. */
  readonly model: string;
  readonly path: string;
  /** The commit on the hub, whose files never change. */
  readonly revision?: string | undefined;
  /** What the server said about this version of the file. */
  readonly etag?: string | undefined;
  readonly modified?: string | undefined;
  /** In bytes, if the server said so, or all of them have arrived. */
  readonly size?: number | undefined;
  readonly complete: boolean;
  /** When its download began, as an ISO date. */
  readonly date: string;
}

/** A stored file as it is now. */
export interface StoredVersion {
  readonly record: FileRecord;
  /** All of its bytes that have arrived. */
  readonly blob: Blob;
}

const RECORD = "record.json";

/** The folder of a URL's file in the store, which is also the name of its lock. */
export async function folderOf(url: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(url));
  return [...new Uint8Array(hash)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export class StoredFile {
  readonly folder: string;
  readonly #store: BlobStore;
  #parts = 0;

  constructor(store: BlobStore, folder: string) {
    this.#store = store;
    this.folder = folder;
  }

  /** What is stored of it: undefined if there is nothing, or nothing that is whole up to some part. */
  async read(): Promise<StoredVersion | undefined> {
    const text = await this.#store.read(this.folder, RECORD).then((blob) => blob?.text());
    const record = text ? recordOf(text) : undefined;
    if (!record) return undefined;
    const parts: Blob[] = [];
    for (;;) {
      const part = await this.#store.read(this.folder, String(parts.length));
      if (!part?.size) break;
      parts.push(part);
    }
    this.#parts = parts.length;
    const blob = new Blob(parts);
    const isWhole = record.complete && blob.size === record.size;
    return { record: { ...record, complete: isWhole }, blob };
  }

  /** Begins a version of the file; any other is removed. @throws DOMException if there is no room */
  async begin(record: FileRecord): Promise<void> {
    await this.#store.remove(this.folder);
    this.#parts = 0;
    await this.write(record);
  }

  /** @throws DOMException if there is no room */
  async write(record: FileRecord): Promise<void> {
    await this.#store.write(this.folder, RECORD, [new TextEncoder().encode(JSON.stringify(record))]);
  }

  /** Adds a part, and returns it as it is stored. @throws DOMException if there is no room */
  async append(pieces: readonly Uint8Array<ArrayBuffer>[]): Promise<Blob | undefined> {
    const name = String(this.#parts);
    await this.#store.write(this.folder, name, pieces);
    this.#parts++;
    return this.#store.read(this.folder, name);
  }

  remove(): Promise<void> {
    return this.#store.remove(this.folder);
  }
}

/** A record as it was written; undefined for anything else. */
function recordOf(text: string): FileRecord | undefined {
  try {
    const record = JSON.parse(text);
    const isRecord = [record.url, record.model, record.path, record.date].every((field) => typeof field === "string");
    return isRecord ? record : undefined;
  } catch {
    return undefined;
  }
}
