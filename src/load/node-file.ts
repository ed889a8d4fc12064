/** A file on disk as a source of bytes. It is opened for each read, so nothing has to be closed afterwards. */
import { open, stat } from "node:fs/promises";
import { FileFormatError } from "../tensor/errors.ts";
import type { ByteSource } from "./bytes.ts";

export async function fileSource(path: string): Promise<ByteSource> {
  const { size } = await stat(path);
  return {
    name: path,
    size,
    async read(start, end, signal) {
      signal?.throwIfAborted();
      const bytes = new Uint8Array(end - start);
      const file = await open(path);
      try {
        for (let filled = 0; filled < bytes.length; ) {
          const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, start + filled);
          if (bytesRead === 0) {
            throw new FileFormatError(`${path} ended at byte ${start + filled}, though it had ${size} when opened.`, {
              asked: end,
              found: start + filled,
            });
          }
          filled += bytesRead;
          signal?.throwIfAborted();
        }
      } finally {
        await file.close();
      }
      return bytes;
    },
  };
}
