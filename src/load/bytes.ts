/**
 * Bytes that can be read in pieces: a file on disk, a download, an array in memory. Every reader of a file format takes
 * one, so it neither knows where the bytes are nor holds more of them than it needs.
 */
import { ArgumentError, FileFormatError } from "../tensor/errors.ts";
import { kindOf, shown } from "../tensor/show.ts";
import { beginningOf, webPage } from "../text/beginnings.ts";

/** Bytes that can be read in pieces, wherever they are. */
export interface ByteSource {
  /** What to call it in an error: a path, mostly. */
  readonly name: string;
  /** The number of bytes in all. */
  readonly size: number;
  /** The bytes from `start` up to, not including, `end`: exactly `end - start` of them. */
  read(start: number, end: number, signal?: AbortSignal): Promise<Uint8Array>;
  /** The bytes from `start` on into memory that is there already, as many as it holds. Where it is missing, `read` is used. */
  readInto?(start: number, into: Uint8Array, signal?: AbortSignal): Promise<void>;
}

/** Bytes of one read where a source gives new memory for each. */
const PIECE = 16 << 20;

/** A source over bytes that are already here; reads are views, not copies. @throws ArgumentError for what is no bytes */
export function memorySource(name: string, bytes: Uint8Array): ByteSource {
  if (typeof name !== "string" || !(bytes instanceof Uint8Array)) {
    const [what, found] = typeof name === "string" ? ["a Uint8Array", bytes] : ["a name", name];
    throw new ArgumentError(`memorySource takes a name and a Uint8Array; ${shown(found)} is not ${what}.`, {
      asked: found,
    });
  }
  return {
    name,
    size: bytes.length,
    async read(start, end, signal) {
      signal?.throwIfAborted();
      return bytes.subarray(start, end);
    },
  };
}

/** @throws ArgumentError unless it is a source of bytes, as a caller without types may pass anything. */
export function checkSource(of: string, source: ByteSource): void {
  const { name, size, read } = (source ?? {}) as Partial<ByteSource>;
  if (typeof name === "string" && Number.isSafeInteger(size) && (size as number) >= 0 && typeof read === "function")
    return;
  throw new ArgumentError(
    `${of} takes a source of bytes, such as memorySource("name", bytes) or fileSource("path") gives, not ${shown(source)}.`,
    { asked: source },
  );
}

/** Fills `into` with the bytes from `start` on. @throws FileFormatError if the source gives fewer than it was asked for. */
export async function readInto(
  source: ByteSource,
  start: number,
  into: Uint8Array,
  signal?: AbortSignal,
): Promise<void> {
  if (source.readInto) return source.readInto(start, into, signal);
  for (let at = 0; at < into.length; at += PIECE) {
    const end = Math.min(at + PIECE, into.length);
    into.set(await readExactly(source, start + at, start + end, signal), at);
  }
}

/** What `read` gives. @throws FileFormatError if it is not as many bytes as were asked for */
export async function readExactly(
  source: ByteSource,
  start: number,
  end: number,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const bytes = await source.read(start, end, signal);
  if (bytes.length === end - start) return bytes;
  throw new FileFormatError(`${source.name} gave ${bytes.length} bytes where ${end - start} were asked for.`, {
    asked: end - start,
    found: bytes.length,
  });
}

/** JSON text as an object. @param what the text's name in an error. @throws FileFormatError if the text is not JSON, or not an object. */
export function parseJsonObject(text: string, what: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new FileFormatError(`${what} is not JSON: ${otherThanJson(text) ?? `${(cause as Error).message}.`}`, {
      asked: what,
      cause,
    });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    const found = Array.isArray(value) ? "an array" : kindOf(value);
    throw new FileFormatError(`${what} should be a JSON object, but it is ${found}.`, { asked: what, found });
  }
  return value as Record<string, unknown>;
}

/** What a text that is not JSON is instead, where its beginning says so. */
function otherThanJson(text: string): string | undefined {
  const start = text.slice(0, 200).trimStart();
  const found = start === "" ? "empty" : (beginningOf(start)?.is ?? webPage(start));
  return found && `it is ${found}.`;
}
