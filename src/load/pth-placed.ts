/** The storages of a checkpoint that lie in a file as they are, without checksums: in torch's formats before the zip. */
import { type ByteSource, readInto } from "./bytes.ts";
import type { PthContainer } from "./pth-container.ts";
import type { TakePiece } from "./zip.ts";

/** The bytes of a piece of a storage. */
const PIECE = 1 << 20;

export interface StoragePlace {
  readonly start: number;
  readonly bytes: number;
}

export class PlacedStorages implements PthContainer {
  readonly #source: ByteSource;
  readonly #signal: AbortSignal | undefined;
  readonly #root: { readonly root: unknown; readonly bytes: number };
  readonly #places: ReadonlyMap<string, StoragePlace>;

  constructor(
    source: ByteSource,
    root: { readonly root: unknown; readonly bytes: number },
    places: ReadonlyMap<string, StoragePlace>,
    signal: AbortSignal | undefined,
  ) {
    this.#source = source;
    this.#root = root;
    this.#places = places;
    this.#signal = signal;
  }

  async readRoot(): Promise<{ readonly root: unknown; readonly bytes: number }> {
    return this.#root;
  }

  size(key: string): number | undefined {
    return this.#places.get(key)?.bytes;
  }

  start(key: string): number {
    return this.#places.get(key)?.start ?? 0;
  }

  readInto(key: string, into: Uint8Array): Promise<void> {
    return readInto(this.#source, this.start(key), into, this.#signal);
  }

  async pieces(key: string, take: TakePiece): Promise<void> {
    const { start, bytes } = this.#places.get(key)!;
    const piece = new Uint8Array(Math.min(PIECE, bytes)); // aligned, as the views of a source's bytes need not be
    for (let at = 0; at < bytes; at += PIECE) {
      const part = piece.subarray(0, Math.min(PIECE, bytes - at));
      await readInto(this.#source, start + at, part, this.#signal);
      take(part, at);
    }
  }
}
