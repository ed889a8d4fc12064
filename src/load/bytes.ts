/**
 * Bytes that can be read in pieces: a file on disk, a download, an array in memory. Every file format reader takes
 * such a source, so it does not need to know where the bytes are, nor hold more of them than it needs.
 */
import { ArgumentError, FileFormatError } from "../tensor/errors.ts";
import { kindOf, shown } from "../tensor/show.ts";
import { beginningOf, webPage } from "../text/beginnings.ts";

/** Bytes that can be read in pieces, wherever they are. */
export interface ByteSource {
  /** What to call it in errors: usually a path. */
  readonly name: string;
  /** The total number of bytes. */
  readonly size: number;
  /** The bytes from `start` up to, not including, `end`: exactly `end - start` of them. */
  read(start: number, end: number, signal?: AbortSignal): Promise<Uint8Array>;
  /** Reads the bytes from `start` on into existing memory, as many as fit. If this method is missing, `read` is used. */
  readInto?(start: number, into: Uint8Array, signal?: AbortSignal): Promise<void>;
}

/** The bytes of one read, if a source allocates new memory for each. */
const PIECE = 16 << 20;

/** A source over bytes in memory; reads are views, not copies. @throws ArgumentError for anything but bytes */
export function memorySource(name: string, bytes: Uint8Array): ByteSource {
  if (typeof name !== "string" || !(bytes instanceof Uint8Array)) {
    const [what, found] = typeof name === "string" ? ["a Uint8Array", bytes] : ["a name", name];
    throw new ArgumentError(`memorySource takes a name and a Uint8Array, but ${shown(found)} is not ${what}.`, {
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

/** @throws ArgumentError unless it is a source of bytes: untyped callers may pass anything. */
export function checkSource(of: string, source: ByteSource): void {
  const { name, size, read } = (source ?? {}) as Partial<ByteSource>;
  if (typeof name === "string" && Number.isSafeInteger(size) && (size as number) >= 0 && typeof read === "function")
    return;
  throw new ArgumentError(
    `${of} takes a source of bytes, such as memorySource("name", bytes) or fileSource("path"), not ${shown(source)}.`,
    { asked: source },
  );
}

/** Fills `into` with the bytes from `start` on. @throws FileFormatError if the source returns fewer bytes than requested. */
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

/** The result of `read`. @throws FileFormatError if it does not have the requested number of bytes */
export async function readExactly(
  source: ByteSource,
  start: number,
  end: number,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const bytes = await source.read(start, end, signal);
  if (bytes.length === end - start) return bytes;
  throw new FileFormatError(`${source.name} returned ${bytes.length} bytes instead of ${end - start}.`, {
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
    const kind = Array.isArray(value) ? "an array" : kindOf(value);
    throw new FileFormatError(`${what} should be a JSON object, but it is ${kind}.`, { asked: what, found: kind });
  }
  return value as Record<string, unknown>;
}

/** What a text that is not JSON is instead, if its beginning shows that. */
function otherThanJson(text: string): string | undefined {
  const start = text.slice(0, 200).trimStart();
  const found = start === "" ? "empty" : (beginningOf(start)?.is ?? webPage(start));
  return found && `it is ${found}.`;
}
