/** Recognises bytes that are not UTF-8 text by how they begin. */
import { beginningOf } from "./beginnings.ts";

/** How much of the beginning is examined. */
const HEAD = 4096;

/**
 * What bytes are if they are not text, to end a sentence: "packed with gzip: unpack it first (gzip -d)". Undefined for
 * bytes that may be text.
 */
export function notText(bytes: Uint8Array): string | undefined {
  const head = bytes.subarray(0, HEAD);
  const start = String.fromCharCode(...head.subarray(0, 64));
  const known = beginningOf(start);
  // Text can begin with the same letters as some of these.
  const sure = known && (known.neverText || /[^\x20-\x7e]/.test(known.bytes) || head.some(isNoText));
  if (sure) return known.is;
  if (/^(\xff\xfe\0\0|\0\0\xfe\xff)/.test(start)) return "apparently UTF-32 text: save it as UTF-8";
  if (/^(\xff\xfe|\xfe\xff)/.test(start)) return "not UTF-8. It looks like UTF-16; save it as UTF-8";
  if (!head.includes(0)) return undefined;
  const width = zeroPattern(head);
  return width === undefined ? "binary, not text" : `not UTF-8. It looks like UTF-${width}; save it as UTF-8`;
}

/** Control characters that no text has, and bytes that UTF-8 never has. */
function isNoText(byte: number): boolean {
  return byte < 9 || (byte > 13 && byte < 27) || byte > 0xf4;
}

/** 16 or 32 if zeros are placed as between the letters of such a text without a byte-order mark. */
function zeroPattern(head: Uint8Array): 16 | 32 | undefined {
  const zeros = [0, 0, 0, 0];
  for (const [i, byte] of head.entries()) if (byte === 0) zeros[i % 4]++;
  const places = Math.ceil(head.length / 4);
  const mostly = zeros.map((n) => (n > places * 0.6 ? "0" : n < places * 0.3 ? "x" : "?")).join("");
  if (["x000", "000x"].includes(mostly)) return 32;
  return ["x0x0", "0x0x"].includes(mostly) ? 16 : undefined;
}
