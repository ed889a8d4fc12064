/**
 * CRC-32, the checksum of zip files (ISO 3309, polynomial 0xEDB88320 in reversed order), sixteen bytes per step: table k,
 * the 256 numbers from 256 k on, gives a byte's effect on the sum k places later. Built on first use.
 */
let table: Int32Array | undefined;

function buildTable(): Int32Array {
  const built = new Int32Array(16 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let sum = byte;
    for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
    built[byte] = sum;
  }
  for (let i = 256; i < built.length; i++) built[i] = (built[i - 256] >>> 8) ^ built[built[i - 256] & 255];
  return built;
}

/** The checksum of bytes that follow others. @param before the checksum of the previous bytes; 0 for none */
export function crc32(bytes: Uint8Array, before = 0): number {
  const t = (table ??= buildTable());
  let sum = ~before;
  const aligned = bytes.length < 16 ? bytes.length : -bytes.byteOffset & 3;
  for (let i = 0; i < aligned; i++) sum = t[(sum ^ bytes[i]) & 255] ^ (sum >>> 8);
  if (aligned === bytes.length) return ~sum >>> 0;
  const words = new Int32Array(bytes.buffer, bytes.byteOffset + aligned, (bytes.length - aligned) >> 2);
  const whole = words.length - (words.length % 4);
  for (let w = 0; w < whole; w += 4) {
    const a = words[w] ^ sum;
    const b = words[w + 1];
    const c = words[w + 2];
    const d = words[w + 3];
    sum =
      t[3840 + (a & 255)] ^
      t[3584 + ((a >>> 8) & 255)] ^
      t[3328 + ((a >>> 16) & 255)] ^
      t[3072 + (a >>> 24)] ^
      t[2816 + (b & 255)] ^
      t[2560 + ((b >>> 8) & 255)] ^
      t[2304 + ((b >>> 16) & 255)] ^
      t[2048 + (b >>> 24)] ^
      t[1792 + (c & 255)] ^
      t[1536 + ((c >>> 8) & 255)] ^
      t[1280 + ((c >>> 16) & 255)] ^
      t[1024 + (c >>> 24)] ^
      t[768 + (d & 255)] ^
      t[512 + ((d >>> 8) & 255)] ^
      t[256 + ((d >>> 16) & 255)] ^
      t[d >>> 24];
  }
  for (let i = aligned + 4 * whole; i < bytes.length; i++) sum = t[(sum ^ bytes[i]) & 255] ^ (sum >>> 8);
  return ~sum >>> 0;
}
