/** Unpacks LZ4 blocks, with or without Hadoop's lengths in front, into exactly as many bytes as announced. */
import { Damage } from "./damage.ts";

/** What older writers call LZ4: Hadoop's blocks, or a single one without a length. */
export function unpackLz4(bytes: Uint8Array, size: number): Uint8Array {
  return hadoop(bytes, size) ?? unpackLz4Block(bytes, size);
}

export function unpackLz4Block(bytes: Uint8Array, size: number): Uint8Array {
  const out = new Uint8Array(size);
  if (block(bytes, out, 0) !== size) throw new Damage("a page unpacks to less than it announces");
  return out;
}

/** Blocks with two lengths in front, unpacked and packed; undefined if these are not such blocks. */
function hadoop(bytes: Uint8Array, size: number): Uint8Array | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // All lengths are checked first, so that nothing is unpacked by mistake.
  const blocks: { start: number; end: number; size: number }[] = [];
  let total = 0;
  for (let at = 0; at < bytes.length; ) {
    if (at + 8 > bytes.length) return undefined;
    const start = at + 8;
    const end = start + view.getUint32(at + 4);
    total += view.getUint32(at);
    if (end > bytes.length || total > size) return undefined;
    blocks.push({ start, end, size: view.getUint32(at) });
    at = end;
  }
  if (total !== size) return undefined;
  const out = new Uint8Array(size);
  let done = 0;
  try {
    for (const { start, end, size: more } of blocks) {
      const to = block(bytes.subarray(start, end), out.subarray(0, done + more), done);
      if (to !== done + more) return undefined;
      done = to;
    }
  } catch {
    return undefined;
  }
  return out;
}

/** Unpacks into `out` from `to` on. @returns where it ends */
function block(bytes: Uint8Array, out: Uint8Array, to: number): number {
  let at = 0;
  const length = (nibble: number): number => {
    if (nibble < 15) return nibble;
    let value = nibble;
    for (;;) {
      if (at >= bytes.length) throw cutOff();
      const byte = bytes[at++];
      value += byte;
      if (byte < 255) return value;
    }
  };
  let written = to;
  while (at < bytes.length) {
    const token = bytes[at++];
    const literals = length(token >> 4);
    if (at + literals > bytes.length) throw cutOff();
    if (written + literals > out.length) throw tooMuch();
    out.set(bytes.subarray(at, at + literals), written);
    at += literals;
    written += literals;
    if (at === bytes.length) break;
    if (at + 2 > bytes.length) throw cutOff();
    const back = bytes[at] | (bytes[at + 1] << 8);
    at += 2;
    const copied = length(token & 15) + 4;
    if (back === 0 || back > written) throw new Damage("a packed page refers to bytes before its beginning");
    const end = written + copied;
    if (end > out.length) throw tooMuch();
    if (back >= copied) {
      out.copyWithin(written, written - back, written - back + copied);
      written = end;
    } else for (; written < end; written++) out[written] = out[written - back];
  }
  return written;
}

const cutOff = () => new Damage("a packed page ends in the middle");
const tooMuch = () => new Damage("a page unpacks to more than it announces");
