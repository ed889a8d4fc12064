/** Bytes that are no UTF-8 text, called what they are, by how they begin. */

/** How much of the beginning is looked at. */
const HEAD = 4096;

const BEGINNINGS: readonly (readonly [bytes: string, is: string])[] = [
  ["\x1f\x8b", "packed with gzip: unpack it first (gzip -d)"],
  ["\x28\xb5\x2f\xfd", "packed with zstd: unpack it first (zstd -d)"],
  ["BZh", "packed with bzip2: unpack it first (bzip2 -d)"],
  ["\xfd7zXZ\0", "packed with xz: unpack it first (xz -d)"],
  ["\x04\x22\x4d\x18", "packed with lz4: unpack it first (lz4 -d)"],
  ["7z\xbc\xaf\x27\x1c", "a 7-Zip archive: unpack it first"],
  ["PK\x03\x04", "a zip archive (as Word's and Excel's files are): unpack it, or save it as text"],
  ["PAR1", "a Parquet file: give it a name that ends in .parquet"],
  ["ARROW1", "an Arrow file: save it as Parquet or as JSON lines"],
  ["SQLite format 3\0", "an SQLite database: write its texts to JSON lines"],
  ["%PDF-", "a PDF: save its text as .txt"],
  ["\xff\xfe\0\0", "UTF-32 text, it seems: save it as UTF-8"],
  ["\0\0\xfe\xff", "UTF-32 text, it seems: save it as UTF-8"],
];

/**
 * What bytes are that are no text, as the end of a sentence: "packed with gzip: unpack it first (gzip -d)". Undefined for
 * what may be text.
 */
export function notText(bytes: Uint8Array): string | undefined {
  const head = bytes.subarray(0, HEAD);
  const start = String.fromCharCode(...head.subarray(0, 16));
  // Text can begin with these letters.
  const known = BEGINNINGS.find(([beginning]) => start.startsWith(beginning));
  if (known && (/[^\x20-\x7e]/.test(known[0]) || head.some(isNoText))) return known[1];
  if (known && known[0] === "%PDF-") return known[1];
  if (/^(\xff\xfe|\xfe\xff)/.test(start)) return "not UTF-8. It looks like UTF-16; save it as UTF-8";
  if (!head.includes(0)) return undefined;
  const width = zeroPattern(head);
  return width === undefined ? "binary, not text" : `not UTF-8. It looks like UTF-${width}; save it as UTF-8`;
}

/** Control characters that no text has, and what UTF-8 never has. */
function isNoText(byte: number): boolean {
  return byte < 9 || (byte > 13 && byte < 27) || byte > 0xf4;
}

/** 16 or 32 where zeros stand as they do between the letters of such a text without a byte-order mark. */
function zeroPattern(head: Uint8Array): 16 | 32 | undefined {
  const zeros = [0, 0, 0, 0];
  for (const [i, byte] of head.entries()) if (byte === 0) zeros[i % 4]++;
  const places = Math.ceil(head.length / 4);
  const mostly = zeros.map((n) => (n > places * 0.6 ? "0" : n < places * 0.3 ? "x" : "?")).join("");
  if (["x000", "000x"].includes(mostly)) return 32;
  return ["x0x0", "0x0x"].includes(mostly) ? 16 : undefined;
}
