/** NumPy's files, written as NumPy writes them. */
import { crc32 } from "node:zlib";
import type { NDArray } from "../../src/node.ts";

/** A .npy file, version 1.0, with a header of its own. */
export function npy(header: string, numbers: Uint8Array): Uint8Array {
  const text = header.padEnd(Math.ceil((header.length + 11) / 64) * 64 - 11) + "\n";
  const file = new Uint8Array(10 + text.length + numbers.length);
  file.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, text.length & 255, text.length >> 8]);
  file.set(new TextEncoder().encode(text), 10);
  file.set(numbers, 10 + text.length);
  return file;
}

/** A .npz file of float32 arrays, and of files that are bytes already; stored, or packed. */
export function npz(
  arrays: Record<string, NDArray | Uint8Array>,
  pack?: (bytes: Uint8Array) => Uint8Array,
): Uint8Array {
  const parts: Uint8Array[] = [];
  const central: Uint8Array[] = [];
  let at = 0;
  const push = (list: Uint8Array[], bytes: Uint8Array) => list.push(bytes);
  for (const [key, value] of Object.entries(arrays)) {
    const name = new TextEncoder().encode(`${key}.npy`);
    const content = value instanceof Uint8Array ? value : npyOf(value);
    const stored = pack ? pack(content) : content;
    const fields = (view: DataView, from: number) => {
      view.setUint16(from, 20, true);
      view.setUint16(from + 4, pack ? 8 : 0, true);
      view.setUint32(from + 10, crc32(content), true);
      view.setUint32(from + 14, stored.length, true);
      view.setUint32(from + 18, content.length, true);
      view.setUint16(from + 22, name.length, true);
    };
    const local = new DataView(new ArrayBuffer(30));
    local.setUint32(0, 0x04034b50, true);
    fields(local, 4);
    const entry = new DataView(new ArrayBuffer(46));
    entry.setUint32(0, 0x02014b50, true);
    entry.setUint16(4, 20, true);
    fields(entry, 6);
    entry.setUint32(42, at, true);
    for (const bytes of [new Uint8Array(local.buffer), name, stored]) push(parts, bytes);
    for (const bytes of [new Uint8Array(entry.buffer), name]) push(central, bytes);
    at += 30 + name.length + stored.length;
  }
  const end = new DataView(new ArrayBuffer(22));
  const size = central.reduce((sum, { length }) => sum + length, 0);
  end.setUint32(0, 0x06054b50, true);
  end.setUint16(8, Object.keys(arrays).length, true);
  end.setUint16(10, Object.keys(arrays).length, true);
  end.setUint32(12, size, true);
  end.setUint32(16, at, true);
  return new Uint8Array(Buffer.concat([...parts, ...central, new Uint8Array(end.buffer)]));
}

function npyOf({ shape, data }: NDArray): Uint8Array {
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return npy(`{'descr': '<f4', 'fortran_order': False, 'shape': (${sizes}), }`, bytes);
}
