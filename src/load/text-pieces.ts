/** Reads a text of any length in pieces: characters stay whole, and errors have a position. */
import { FileFormatError } from "../tensor/errors.ts";
import { notText } from "../text/not-text.ts";
import { firstBadByte, notUtf8 } from "../text/utf8.ts";
import type { ByteSource } from "./bytes.ts";

/** The longest piece, in bytes. */
const LONGEST = 16_000_000;

/**
 * The text of a source, piece by piece, without a byte-order mark. Each piece is up to four times as long as
 * the previous one, so that a caller who only needs the beginning reads little.
 * @param first the bytes of the first piece
 * @param part the bytes that are read, from the beginning of a character up to the end of one
 * @throws FileFormatError for anything but UTF-8 text, saying what it is or where the first invalid byte is
 */
export async function* textPieces(
  source: ByteSource,
  signal: AbortSignal | undefined,
  first = LONGEST,
  { from, to }: { readonly from: number; readonly to: number } = { from: 0, to: source.size },
): AsyncGenerator<string> {
  const { name } = source;
  let carried = new Uint8Array();
  for (let at = from, length = first; at < to; at += length, length = Math.min(length * 4, LONGEST)) {
    const end = Math.min(at + length, to);
    const read = await source.read(at, end, signal);
    const found = at === 0 ? notText(read) : undefined;
    if (found !== undefined) throw new FileFormatError(`${name} is ${found}.`, { asked: name, found });
    const bytes = carried.length === 0 ? read : joined(carried, read);
    const whole = end === to ? bytes.length : bytes.length - unfinished(bytes);
    const begins = at - carried.length;
    yield decode(bytes.subarray(0, whole), name, begins);
    carried = bytes.slice(whole);
  }
}

/** The longest string in JavaScript engines. */
const LONGEST_STRING = 2 ** 29 - 24;

/** A whole source as UTF-8 text. @throws FileFormatError if the bytes are not UTF-8, or more than one string can hold */
export async function readText(source: ByteSource, signal?: AbortSignal): Promise<string> {
  const { name, size } = source;
  if (size > LONGEST_STRING) {
    throw new FileFormatError(
      `${name} has ${Math.ceil(size / 1e6)} MB, but a text that is read whole can have at most ${Math.floor(LONGEST_STRING / 1e6)} MB.`,
      { asked: name, found: size },
    );
  }
  let text = "";
  for await (const piece of textPieces(source, signal)) text += piece;
  return text;
}

function decode(bytes: Uint8Array, name: string, begins: number): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: begins > 0 }).decode(bytes);
  } catch (cause) {
    const { at, hex } = firstBadByte(bytes);
    throw new FileFormatError(notUtf8(name, hex, begins + at), { asked: name, found: begins + at, cause });
  }
}

/** How many of the last bytes begin a character that continues after them. */
function unfinished(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back];
    if (byte >= 0xc0) return (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) > back ? back : 0;
    if (byte < 0x80) return 0;
  }
  return 0;
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
