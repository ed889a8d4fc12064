/** Decodes UTF-8, or says what the bytes are instead, or where they go wrong. */
import { InputError } from "../tensor/errors.ts";
import { notText } from "./not-text.ts";

const encoder = new TextEncoder();

/**
 * The text of UTF-8 bytes, without a byte-order mark. `name` is the file's, for the message.
 * @throws InputError that says what the bytes are, or gives the offset of the first that is not UTF-8.
 */
export function decodeUtf8(bytes: Uint8Array, name: string): string {
  const found = notText(bytes);
  if (found !== undefined) throw new InputError(`${name} is ${found}.`, { asked: name, found });
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    const { at, hex } = firstBadByte(bytes);
    throw new InputError(notUtf8(name, hex, at), { asked: name, found: at });
  }
}

export function notUtf8(name: string, hex: string, at: number): string {
  return `${name} is not UTF-8: the byte ${hex} at offset ${at} does not begin a character. Save it as UTF-8.`;
}

/** Where the first malformed sequence begins; a decoder stops at the shortest prefix that no continuation could complete. */
export function firstBadByte(bytes: Uint8Array): { readonly at: number; readonly hex: string } {
  const prefix = (length: number) =>
    new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes.subarray(0, length), { stream: true });
  let good = 0;
  let bad = bytes.length + 1;
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    try {
      prefix(middle);
      good = middle;
    } catch {
      bad = middle;
    }
  }
  const at = encoder.encode(prefix(good)).length;
  return { at, hex: `0x${bytes[at].toString(16).toUpperCase().padStart(2, "0")}` };
}
