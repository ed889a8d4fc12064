/** A file on disk as a source of bytes. It is opened for each read, so nothing has to be closed afterwards. */
import { open, stat } from "node:fs/promises";
import { FileFormatError, InputError } from "../tensor/errors.ts";
import type { ByteSource } from "./bytes.ts";

/** A file on disk, read in pieces. @throws InputError if there is none of that name, or it cannot be read */
export async function fileSource(path: string): Promise<ByteSource> {
  const found = await stat(path).catch((cause) => {
    throw unreadable(path, cause);
  });
  if (found.isDirectory()) throw unreadable(path, { code: "EISDIR" });
  const { size } = found;
  return {
    name: path,
    size,
    async read(start, end, signal) {
      signal?.throwIfAborted();
      const bytes = new Uint8Array(end - start);
      const file = await open(path).catch((cause) => {
        throw unreadable(path, cause);
      });
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

/** Why a file cannot be read, from the system's error. */
export function unreadable(what: string, cause: { readonly code?: string; readonly message?: string }): InputError {
  const why =
    cause.code === "ENOENT"
      ? "there is no such file"
      : cause.code === "EISDIR"
        ? "it is a folder, not a file"
        : cause.code === "EACCES"
          ? "it may not be read"
          : cause.message;
  return new InputError(`${what} cannot be read: ${why}.`, { asked: what, found: cause.code, cause });
}
