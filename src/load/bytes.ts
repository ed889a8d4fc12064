/**
 * Bytes that can be read in pieces: a file on disk, a download, an array in memory. Every reader of a file format takes
 * one, so it neither knows where the bytes are nor holds more of them than it needs.
 */
import { FileFormatError } from "../tensor/errors.ts";

/** Bytes that can be read in pieces, wherever they are. */
export interface ByteSource {
  /** What to call it in an error: a path, mostly. */
  readonly name: string;
  /** The number of bytes in all. */
  readonly size: number;
  /** The bytes from `start` up to, not including, `end`: exactly `end - start` of them. */
  read(start: number, end: number, signal?: AbortSignal): Promise<Uint8Array>;
}

/** A source over bytes that are already here; reads are views, not copies. */
export function memorySource(name: string, bytes: Uint8Array): ByteSource {
  return {
    name,
    size: bytes.length,
    async read(start, end, signal) {
      signal?.throwIfAborted();
      return bytes.subarray(start, end);
    },
  };
}

/** JSON text as an object. @param what the text's name in an error. @throws FileFormatError if the text is not JSON, or not an object. */
export function parseJsonObject(text: string, what: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new FileFormatError(`${what} is not JSON: ${(cause as Error).message}.`, { asked: what, cause });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    const found = value === null ? "null" : Array.isArray(value) ? "an array" : `a ${typeof value}`;
    throw new FileFormatError(`${what} should be a JSON object, but it is ${found}.`, { asked: what, found });
  }
  return value as Record<string, unknown>;
}
