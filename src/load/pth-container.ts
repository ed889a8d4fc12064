/** What is around a PyTorch checkpoint's numbers: the pickle that names them, and where each storage's bytes are. */
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
