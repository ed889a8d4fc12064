/**
 * A zip laid out as `torch.save` lays it out: stored entries whose headers leave the sizes to a descriptor after them,
 * padded so that each begins on a multiple of 64, then a directory, and ZIP64's end records whatever the sizes.
 */
import { crc32 } from "node:zlib";

/** @param large write sizes and places as for a file beyond 4 GB: in ZIP64's extra fields */
export function torchZip(
  entries: readonly { readonly name: string; readonly data: Uint8Array }[],
  { large = false } = {},
): Uint8Array {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let at = 0;
  const add = (part: Uint8Array) => {
    parts.push(part);
    at += part.length;
  };
  for (const { name, data } of entries) {
    const text = new TextEncoder().encode(name);
    const start = at;
    const unpadded = start + 30 + text.length + 4;
    const padding = 64 - (unpadded % 64);
    const sum = crc32(data);
    add(fields([4, 0x04034b50], [2, 0], [2, 0x0808], [8, 0], [8, 0], [2, 0], [2, text.length], [2, 4 + padding]));
    add(text);
    add(Uint8Array.of(0x46, 0x42, padding & 255, padding >> 8, ...new Array(padding).fill(0x5a)));
    add(data);
    add(fields([4, 0x08074b50], [4, sum], [4, data.length], [4, data.length]));
    const size = large ? 0xffffffff : data.length;
    const extra = large ? fields([2, 1], [2, 24], [8, data.length], [8, data.length], [8, start]) : new Uint8Array(0);
    directory.push(
      fields([4, 0x02014b50], [2, 0], [2, 0], [2, 0x0808], [2, 0], [4, 0], [4, sum], [4, size], [4, size]),
      fields([2, text.length], [2, extra.length], [2, 0], [2, 0], [2, 0], [4, 0], [4, large ? 0xffffffff : start]),
      text,
      extra,
    );
  }
  const start = at;
  for (const part of directory) add(part);
  const size = at - start;
  const end = at;
  const count = entries.length;
  add(
    fields(
      [4, 0x06064b50],
      [8, 44],
      [2, 0x031e],
      [2, 0x2d],
      [4, 0],
      [4, 0],
      [8, count],
      [8, count],
      [8, size],
      [8, start],
    ),
  );
  add(fields([4, 0x07064b50], [4, 0], [8, end], [4, 1]));
  const [short, wide] = large ? [0xffff, 0xffffffff] : [count, undefined];
  add(fields([4, 0x06054b50], [2, 0], [2, 0], [2, short], [2, short], [4, wide ?? size], [4, wide ?? start], [2, 0]));
  const whole = new Uint8Array(at);
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

/** Little-endian numbers of this many bytes each. */
function fields(...pairs: readonly [size: number, value: number][]): Uint8Array {
  return Uint8Array.from(
    pairs.flatMap(([size, value]) => Array.from({ length: size }, (_, i) => (i < 4 ? (value >>> (8 * i)) & 255 : 0))),
  );
}
