/** What is around a PyTorch checkpoint's numbers: the pickle that names them, and where each storage's bytes are. */
import type { ByteSource } from "./bytes.ts";
import { whatItIs } from "./file-kinds.ts";
import { PthArchive } from "./pth-archive.ts";
import { PthLegacy } from "./pth-legacy.ts";
import type { TakePiece } from "./zip.ts";

export interface PthContainer {
  /** The object that was saved, and the bytes of its pickle. @throws FileFormatError */
  readRoot(): Promise<{ readonly root: unknown; readonly bytes: number }>;
  /** The bytes of a storage; undefined if there is none with this key. */
  size(key: string): number | undefined;
  /** Where it begins in the file: reading storages in this order is fastest. */
  start(key: string): number;
  /** Fills `into`, which has the storage's length. @throws FileFormatError if the file is damaged */
  readInto(key: string, into: Uint8Array): Promise<void>;
  /** A storage's bytes in pieces. @throws FileFormatError if the file is damaged */
  pieces(key: string, take: TakePiece): Promise<void>;
}

/** Opens a checkpoint, in the zip that torch writes since 1.6 or in its format before. @throws FileFormatError for any other file */
export async function openPth(source: ByteSource, signal: AbortSignal | undefined): Promise<PthContainer> {
  const kind = await whatItIs(source, signal);
  if (kind === "torch before 1.6") return PthLegacy.open(source, signal);
  return PthArchive.open(source, kind, signal);
}
