/**
 * The directory of a zip file: what it contains, and where. It is at the end of the file and is read from there; everything
 * that it says is checked against the file's size before a byte of content is read. ZIP64's records, which PyTorch always
 * writes, are read as 64-bit sizes.
 * Format: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT (4.3)
 */
import { FileFormatError } from "../tensor/errors.ts";
import { shown } from "../tensor/show.ts";
import { type ByteSource, readExactly } from "./bytes.ts";

/** One file in a zip. */
export interface ZipEntry {
  readonly name: string;
  /** The bytes of its content, and the bytes that they take in the zip. */
  readonly size: number;
  readonly packed: number;
  readonly deflated: boolean;
  readonly crc: number;
  /** Where its local header begins. */
  readonly start: number;
  /** Where the next entry or the directory begins: this entry must end before. */
  readonly limit: number;
}

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const END64 = 0x06064b50;
const END64_LOCATOR = 0x07064b50;
const ENCRYPTED = 1;
const SIZES_FOLLOW = 8;
const ALL16 = 0xffff;
const ALL32 = 0xffffffff;
/** The bytes of a local header before its name. */
export const LOCAL_HEADER = 30;

const MOST_ENTRIES = 100_000;
const LONGEST_DIRECTORY = 32 << 20;
const LONGEST_COMMENT = 0xffff;

/** @throws FileFormatError that says why a file is not a whole zip. */
export function refuseZip(source: ByteSource, why: string, found?: unknown): never {
  throw new FileFormatError(`${source.name} is not a whole zip file, as a PyTorch checkpoint is: ${why}.`, {
    asked: source.name,
    found,
  });
}

/** All entries of a zip except folders, by name, in the order of their bytes. @throws FileFormatError */
export async function readZipDirectory(source: ByteSource, signal?: AbortSignal): Promise<Map<string, ZipEntry>> {
  const place = await findDirectory(source, signal);
  const view = viewOf(await readExactly(source, place.start, place.start + place.size, signal));
  const found: Omit<ZipEntry, "limit">[] = [];
  let at = 0;
  for (let i = 0; i < place.count; i++) {
    if (at + 46 > place.size || view.getUint32(at, true) !== CENTRAL) {
      refuseZip(source, `its directory ends after ${i} of ${place.count} entries`);
    }
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((offset) => view.getUint16(at + offset, true));
    const next = at + 46 + nameLength + extraLength + commentLength;
    if (next > place.size) refuseZip(source, `entry ${i} of its directory reaches beyond the directory's end`);
    const bytes = new Uint8Array(view.buffer, view.byteOffset + at, next - at);
    found.push(centralEntry(source, bytes, nameLength, extraLength, place.start));
    at = next;
  }
  if (at !== place.size) refuseZip(source, `its directory has ${place.size - at} bytes beyond its entries`);

  found.sort((a, b) => a.start - b.start);
  const entries = new Map<string, ZipEntry>();
  found.forEach((entry, i) => {
    const limit = found[i + 1]?.start ?? place.start;
    if (entry.start + LOCAL_HEADER + entry.packed > limit) {
      refuseZip(source, `entry ${shown(entry.name)} overlaps what comes after it`, entry.name);
    }
    if (entry.name.endsWith("/") && entry.size === 0) return;
    if (entries.has(entry.name)) refuseZip(source, `it has the entry ${shown(entry.name)} twice`, entry.name);
    entries.set(entry.name, { ...entry, limit });
  });
  return entries;
}

interface DirectoryPlace {
  readonly start: number;
  readonly size: number;
  readonly count: number;
}

async function findDirectory(source: ByteSource, signal: AbortSignal | undefined): Promise<DirectoryPlace> {
  const { tail, from, end } = await findEnd(source, signal);
  const short = {
    disks: tail.getUint16(end + 4, true) + tail.getUint16(end + 6, true),
    here: tail.getUint16(end + 8, true),
    count: tail.getUint16(end + 10, true),
    size: tail.getUint32(end + 12, true),
    start: tail.getUint32(end + 16, true),
  };
  let place: DirectoryPlace = short;
  let ends = from + end;
  let parts = short.here !== short.count || short.disks !== 0;
  const long = end64(tail, from, end - 20);
  if (long) {
    const agree = (a: number, b: number, all: number) => a === b || a === all;
    const same =
      agree(short.count, long.count, ALL16) &&
      agree(short.size, long.size, ALL32) &&
      agree(short.start, long.start, ALL32);
    if (!same) refuseZip(source, "its two end records name different directories");
    place = long;
    ends = long.at;
    parts = long.here !== long.count || long.disks !== 0;
  }
  if (parts) refuseZip(source, "it is one part of several");
  if (place.count > MOST_ENTRIES || place.size > LONGEST_DIRECTORY) {
    refuseZip(
      source,
      `its directory announces ${place.count} entries in ${place.size} bytes, but at most ${MOST_ENTRIES} are read`,
    );
  }
  if (place.start + place.size !== ends) {
    refuseZip(
      source,
      `its directory should take bytes ${place.start} to ${place.start + place.size}, but ends at ${ends}`,
    );
  }
  return place;
}

/**
 * The end record, in the last bytes of the file, with what may precede it: ZIP64's locator (20 bytes) and record
 * (56 bytes or more). Only the file's comment comes after it, whose length it gives.
 * @throws FileFormatError if there is none, or several fit
 */
async function findEnd(
  source: ByteSource,
  signal: AbortSignal | undefined,
): Promise<{ readonly tail: DataView; readonly from: number; readonly end: number }> {
  for (const longest of [0, LONGEST_COMMENT]) {
    const from = Math.max(0, source.size - longest - 22 - 20 - 56);
    const tail = viewOf(await readExactly(source, from, source.size, signal));
    const ends: number[] = [];
    for (let end = tail.byteLength - 22; end >= Math.max(0, tail.byteLength - longest - 22); end--) {
      const fits = tail.getUint32(end, true) === END && tail.getUint16(end + 20, true) === tail.byteLength - end - 22;
      if (fits) ends.push(end);
    }
    if (ends.length > 1) refuseZip(source, "its comment could be another directory");
    if (ends.length === 1) return { tail, from, end: ends[0] };
  }
  return refuseZip(
    source,
    "its directory, which should be at its end, is missing: the file was cut off, or something was appended; download it again",
  );
}

/** ZIP64's end record, if the locator at `at` of the tail points to one directly before it. */
function end64(tail: DataView, from: number, at: number) {
  if (at < 56 || tail.getUint32(at, true) !== END64_LOCATOR) return undefined;
  const record = at - 56;
  const known =
    tail.getUint32(record, true) === END64 && uint64(tail, record + 4) === 44 && uint64(tail, at + 8) === from + record;
  if (!known) return undefined;
  return {
    at: from + record,
    disks: tail.getUint32(record + 16, true) + tail.getUint32(record + 20, true),
    here: uint64(tail, record + 24),
    count: uint64(tail, record + 32),
    size: uint64(tail, record + 40),
    start: uint64(tail, record + 48),
  };
}

function centralEntry(
  source: ByteSource,
  bytes: Uint8Array,
  nameLength: number,
  extraLength: number,
  directory: number,
): Omit<ZipEntry, "limit"> {
  const view = viewOf(bytes);
  const name = entryName(bytes.subarray(46, 46 + nameLength));
  const what = `entry ${shown(name)}`;
  if (name === "") refuseZip(source, "it has an entry without a name");
  const flags = view.getUint16(8, true);
  const method = view.getUint16(10, true);
  if (flags & ENCRYPTED) refuseZip(source, `${what} is encrypted`, name);
  if (method !== 0 && method !== 8) refuseZip(source, `${what} is packed with an unsupported method (${method})`, name);
  const [size, packed, start] = sizes64(
    view,
    46 + nameLength,
    extraLength,
    [24, 20, 42].map((offset) => view.getUint32(offset, true)),
  );
  if (start + LOCAL_HEADER + packed > directory) refuseZip(source, `${what} reaches into the directory`, name);
  if (method === 0 && size !== packed)
    refuseZip(source, `${what} is stored, but has ${size} and ${packed} bytes`, name);
  return { name, size, packed, deflated: method === 8, crc: view.getUint32(16, true), start };
}

/**
 * Where an entry's content begins: after its local header, which must agree with the directory.
 * @param header the bytes from the entry's start on: at least the fixed part, the name and the extra fields
 */
export function contentStart(source: ByteSource, entry: ZipEntry, header: Uint8Array): number {
  const what = `entry ${shown(entry.name)}`;
  const view = viewOf(header);
  if (view.getUint32(0, true) !== LOCAL) refuseZip(source, `${what} is not where the directory says`, entry.name);
  const flags = view.getUint16(6, true);
  const nameLength = view.getUint16(26, true);
  const extraLength = view.getUint16(28, true);
  const start = entry.start + LOCAL_HEADER + nameLength + extraLength;
  if (start + entry.packed > entry.limit) refuseZip(source, `${what} overlaps what comes after it`, entry.name);
  const whole = header.length >= LOCAL_HEADER + nameLength + extraLength;
  if (!whole || entryName(header.subarray(LOCAL_HEADER, LOCAL_HEADER + nameLength)) !== entry.name) {
    refuseZip(source, `${what} has a different name at its content from that in the directory`, entry.name);
  }
  const method = view.getUint16(8, true);
  let said = [14, 22, 18].map((offset) => view.getUint32(offset, true));
  const [size, packed] = sizes64(view, LOCAL_HEADER + nameLength, extraLength, said.slice(1));
  said = [said[0], size, packed];
  const known = [entry.crc, entry.size, entry.packed];
  // If they follow the content, the header may leave them 0.
  const agree = said.every((n, i) => n === known[i] || ((flags & SIZES_FOLLOW) !== 0 && (n === 0 || n === ALL32)));
  if (!agree || method !== (entry.deflated ? 8 : 0) || flags & ENCRYPTED) {
    refuseZip(source, `${what} is described differently at its content from in the directory`, entry.name);
  }
  return start;
}

/** Sizes and offset, each read from ZIP64's extra field (1) if the 32-bit one is full. */
function sizes64(view: DataView, at: number, length: number, short: readonly number[]): number[] {
  if (!short.includes(ALL32)) return [...short];
  for (let end = at + length; at + 4 <= end; ) {
    const [id, size] = [view.getUint16(at, true), view.getUint16(at + 2, true)];
    at += 4;
    if (id === 1) {
      const last = Math.min(end, at + size);
      return short.map((n) => {
        if (n !== ALL32 || at + 8 > last) return n;
        at += 8;
        return uint64(view, at - 8);
      });
    }
    at += size;
  }
  return [...short];
}

/** Beyond 2^53 the value is rounded, but that is far larger than any file anyway. */
function uint64(view: DataView, at: number): number {
  return Number(view.getBigUint64(at, true));
}

function entryName(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return new TextDecoder("latin1").decode(bytes);
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
