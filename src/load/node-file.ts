/** A file on disk as a source of bytes. It is opened for each read, so nothing needs to be closed. */
import type { Stats } from "node:fs";
import { lstat, open, stat } from "node:fs/promises";
import { ArgumentError, FileFormatError, InputError } from "../tensor/errors.ts";
import { shown } from "../tensor/show.ts";
import type { ByteSource } from "./bytes.ts";

/** The most bytes in one read: the system allows at most 2 GiB, and the signal is checked between reads. */
const MOST_AT_ONCE = 64 << 20;

/** A file on disk, read in pieces. @throws InputError if it does not exist or cannot be read */
export async function fileSource(path: string): Promise<ByteSource> {
  if (typeof path !== "string") {
    throw new ArgumentError(`fileSource takes a file's path, not ${shown(path)}.`, { asked: path });
  }
  const stats = await stat(path).catch(async (cause) => {
    throw await unreadable(path, path, cause);
  });
  const special = kindOfFile(stats);
  if (special !== undefined)
    throw new InputError(`${path} cannot be read: it is ${special}, not a file.`, { asked: path });
  const { size } = stats;
  const readInto = async (start: number, into: Uint8Array, signal?: AbortSignal) => {
    signal?.throwIfAborted();
    const file = await open(path).catch(async (cause) => {
      throw await unreadable(path, path, cause);
    });
    try {
      for (let filled = 0; filled < into.length; ) {
        const { bytesRead } = await file.read(
          into,
          filled,
          Math.min(into.length - filled, MOST_AT_ONCE),
          start + filled,
        );
        if (bytesRead === 0) {
          throw new FileFormatError(`${path} ended at byte ${start + filled}, though it had ${size} when opened.`, {
            asked: start + into.length,
            found: start + filled,
          });
        }
        filled += bytesRead;
        signal?.throwIfAborted();
      }
    } finally {
      await file.close();
    }
  };
  return {
    name: path,
    size,
    async read(start, end, signal) {
      const bytes = room(end - start, path);
      await readInto(start, bytes, signal);
      return bytes;
    },
    readInto,
  };
}

function room(length: number, path: string): Uint8Array {
  try {
    return new Uint8Array(length);
  } catch (cause) {
    const message = `${Math.ceil(length / 1e6)} MB of ${path} do not fit in memory.`;
    throw new InputError(message, { asked: length, cause });
  }
}

/** What is at a path, if it is not a file: "a folder". */
export function kindOfFile(found: Stats): string | undefined {
  if (found.isFile()) return undefined;
  if (found.isDirectory()) return "a folder";
  if (found.isFIFO()) return "a pipe";
  return found.isSocket() ? "a socket" : "a device";
}

const WHY: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  ENOTDIR: "a part of its path is a file, not a folder",
  EISDIR: "it is a folder, not a file",
  EACCES: "it is not readable",
  EPERM: "it is not readable",
  ELOOP: "its links lead back to themselves",
  ENAMETOOLONG: "its name is too long",
  ENXIO: "it is a socket, or a device with nothing behind it",
  EIO: "the disk or device failed",
};

/** Why a file cannot be read, from the system's error. @param what the file, for the sentence */
export async function unreadable(
  what: string,
  path: string,
  cause: { readonly code?: string | undefined; readonly message?: string },
): Promise<InputError> {
  const dangling = cause.code === "ENOENT" && (await lstat(path).catch(() => undefined))?.isSymbolicLink();
  const why = dangling ? "it is a link to something that does not exist" : (WHY[cause.code ?? ""] ?? cause.message);
  return new InputError(`${what} cannot be read: ${why}.`, { asked: what, found: cause.code, cause });
}
