/** Zips that may lie: every field of an entry can be written with a false value. */
import { crc32 } from "node:zlib";
import { joined } from "./mutate.ts";

export interface ZipEntry {
  readonly name: string;
  readonly data: Uint8Array;
  /** False values, in the local header, in the directory, or in both. */
  readonly local?: Partial<ZipFields>;
  readonly central?: Partial<ZipFields>;
}

export interface ZipFields {
  readonly name: string;
  readonly method: number;
  readonly flags: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  readonly offset: number;
}

/** Stored entries, as torch writes them. @param end false values about the directory */
export function writeZip(
  entries: readonly ZipEntry[],
  end: { count?: number; size?: number; offset?: number } = {},
): Uint8Array {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const { name, data, local, central } of entries) {
    const truth: ZipFields = {
      name,
      method: 0,
      flags: 0x800,
      crc: crc32(data),
      packed: data.length,
      size: data.length,
      offset,
    };
    const header = record(0x04034b50, { ...truth, ...local }, false);
    directory.push(record(0x02014b50, { ...truth, ...central }, true));
    parts.push(header, data);
    offset += header.length + data.length;
  }
  const list = joined(...directory);
  const last = new DataView(new ArrayBuffer(22));
  last.setUint32(0, 0x06054b50, true);
  last.setUint16(8, end.count ?? entries.length, true);
  last.setUint16(10, end.count ?? entries.length, true);
  last.setUint32(12, end.size ?? list.length, true);
  last.setUint32(16, end.offset ?? offset, true);
  return joined(...parts, list, new Uint8Array(last.buffer));
}

/** A local header, or the same facts as an entry of the directory. */
function record(magic: number, fields: ZipFields, central: boolean): Uint8Array {
  const name = new TextEncoder().encode(fields.name);
  const view = new DataView(new ArrayBuffer(central ? 46 : 30));
  const shift = central ? 6 : 4;
  view.setUint32(0, magic, true);
  if (central) view.setUint16(4, 20, true);
  view.setUint16(shift, 20, true);
  view.setUint16(shift + 2, fields.flags, true);
  view.setUint16(shift + 4, fields.method, true);
  view.setUint32(shift + 10, fields.crc, true);
  view.setUint32(shift + 14, fields.packed, true);
  view.setUint32(shift + 18, fields.size, true);
  view.setUint16(shift + 22, name.length, true);
  if (central) view.setUint32(42, fields.offset, true);
  return joined(new Uint8Array(view.buffer), name);
}
