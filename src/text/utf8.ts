/** Bytes to text, refusing what is not UTF-8 and saying where. */
import { InputError } from "../tensor/errors.ts";

const encoder = new TextEncoder();

/**
 * The text of UTF-8 bytes, without a byte-order mark. `name` is the file's, for the message.
 * @throws InputError with the offset of the first byte that is not UTF-8.
 */
export function decodeUtf8(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    const at = firstBadByte(bytes);
    const hex = bytes[at].toString(16).toUpperCase().padStart(2, "0");
    const utf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
    throw new InputError(
      `${name} is not UTF-8: the byte 0x${hex} at offset ${at} begins no character.` +
        (utf16 ? " It looks like UTF-16; save it as UTF-8." : " Save it as UTF-8."),
      { asked: name, found: at },
    );
  }
}

/** Where the first malformed sequence begins; a decoder stops at the shortest prefix that no continuation could mend. */
function firstBadByte(bytes: Uint8Array): number {
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
  return encoder.encode(prefix(good)).length;
}
