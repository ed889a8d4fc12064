/**
 * Unpacks pages. A page announces how many bytes it has; exactly that many are made, and no more than the packed bytes can
 * contain. A page that unpacks to more or less is damaged.
 */
import { compressors, decompressZstd, gunzip } from "hyparquet-compressors";
import { crc32 } from "../../../load/crc32.ts";
import { needMemory, showBytes } from "../../../tensor/free-memory.ts";
import { unpackBrotli } from "./brotli.ts";
import { Damage, Unread } from "./damage.ts";
import { unpackLz4, unpackLz4Block } from "./lz4.ts";
import { unpackZstd } from "./zstd.ts";

interface Codec {
  /** The most bytes that one packed byte can stand for. */
  readonly most: number;
  unpack(bytes: Uint8Array, size: number): Uint8Array;
}

/** Codecs, by their numbers in the format. */
const CODECS: Readonly<Record<number, Codec>> = {
  1: { most: 24, unpack: snappy },
  2: { most: 1040, unpack: gzip },
  4: { most: Infinity, unpack: unpackBrotli },
  5: { most: 256, unpack: unpackLz4 },
  6: { most: 2 ** 15, unpack: (bytes, size) => unpackZstd(bytes, size, decompressZstd) },
  7: { most: 256, unpack: unpackLz4Block },
};

/** @param where the file, for the error if it needs too much memory */
export function unpack(codec: number, bytes: Uint8Array, size: number, where: string): Uint8Array {
  if (codec === 0) {
    if (bytes.length !== size) throw new Damage(`a page of ${bytes.length} bytes announces ${size}`);
    return bytes;
  }
  const known = CODECS[codec];
  if (!known) throw new Unread(`it is packed with ${codec === 3 ? "LZO" : `codec ${codec}`}, which is not supported`);
  if (size === 0) return new Uint8Array();
  if (size > bytes.length * known.most) {
    throw new Damage(`a page of ${showBytes(bytes.length)} announces that it unpacks to ${showBytes(size)}`);
  }
  needMemory({
    what: `A page of ${where}`,
    bytes: size,
    advice: "write the file with smaller pages",
  });
  try {
    return known.unpack(bytes, size);
  } catch (error) {
    if (error instanceof Damage || error instanceof Unread) throw error;
    throw new Damage("a packed page cannot be unpacked", { cause: error });
  }
}

function snappy(bytes: Uint8Array, size: number): Uint8Array {
  let declared = 0;
  for (let i = 0; i < 5; i++) {
    declared += (bytes[i] & 127) * 2 ** (7 * i);
    if (!(bytes[i] & 128)) break;
  }
  if (declared !== size) throw new Damage("a page unpacks to a different size than it announces");
  return compressors.SNAPPY!(bytes, size);
}

/** A page's last bytes are a checksum and the size of what was packed last, which show that all of it arrived. */
function gzip(bytes: Uint8Array, size: number): Uint8Array {
  if (bytes.length < 18 || bytes[0] !== 31 || bytes[1] !== 139) {
    throw new Damage("a page is not packed with gzip, although it says so");
  }
  const end = new DataView(bytes.buffer, bytes.byteOffset + bytes.length - 8, 8);
  const last = end.getUint32(4, true);
  if (last > size) throw new Damage("a page unpacks to more than it announces");
  const out = gunzip(bytes, new Uint8Array(size));
  if (crc32(out.subarray(size - last)) !== end.getUint32(0, true)) {
    throw new Damage("a page's checksum does not match its unpacked bytes");
  }
  // Packed in several parts, or too short: then the rest was never written.
  if (last < size && gunzip(bytes, new Uint8Array(size).fill(255)).some((byte, i) => byte !== out[i])) {
    throw new Damage("a page unpacks to less than it announces");
  }
  return out;
}
