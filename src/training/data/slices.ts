/** Cuts files of texts into parts that can be read on their own, on any machine: where the cuts are depends on the file alone. */
import type { ByteSource } from "../../load/bytes.ts";
import { packingOf, unpackedName } from "../../load/file-kinds.ts";
import { FileFormatError } from "../../tensor/errors.ts";
import { parquetGroups } from "./parquet.ts";
import { kindOfTexts, LONGEST_LINE, type Slice, textGroups } from "./texts.ts";

/** How files are cut and read. */
export interface SliceOptions {
  /** The field of each JSON line, or the column of a Parquet file, that has the text. */
  readonly column: string;
  /** Of Parquet: only this many texts, the first. */
  readonly most?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A text without a line's end in this many bytes is cut at a character. */
const FAR = 2 ** 16;
/** Bytes that are read at a time while a line's end is looked for. */
const STEP = 2 ** 16;

type Group = Awaited<ReturnType<typeof parquetGroups>>[number];

/** The row groups that have the first rows, the last of them with as many as are left. */
function upTo(groups: readonly Group[], most = Number.POSITIVE_INFINITY): readonly Group[] {
  let left = most;
  return groups.flatMap((group) => {
    if (left <= 0) return [];
    const rows = Math.min(group.rows, left);
    left -= rows;
    return [{ rows, bytes: group.rows === 0 ? 0 : (group.bytes * rows) / group.rows }];
  });
}

/**
 * The parts of a file, of about `bytes` bytes each: of a text and of JSON lines each begins with the line that is next at its `from`;
 * of Parquet it is one or several row groups.
 * @throws FileFormatError for a file of another kind, one that lacks the column, or has nothing in it
 */
export async function slicesOf(
  source: ByteSource,
  bytes: number,
  { column, most, signal }: SliceOptions,
): Promise<Slice[]> {
  const { name, size } = source;
  const kind = kindOfTexts(name);
  if (size === 0) throw new FileFormatError(`${name} is empty: it has no text.`, { asked: name });
  if (kind !== "parquet") {
    return Array.from({ length: Math.ceil(size / bytes) }, (_, i) => ({
      from: i * bytes,
      to: Math.min(size, (i + 1) * bytes),
    }));
  }
  if (packingOf(name) !== undefined) {
    throw new FileFormatError(
      `${name} is a packed Parquet file, but such files are read in parts, and packed on the inside: unpack it to ${unpackedName(name)} first.`,
      { asked: name },
    );
  }
  const groups = upTo(await parquetGroups(source, column, signal), most);
  const slices: Slice[] = [];
  let from = 0;
  let held = 0;
  groups.forEach((group, i) => {
    held += group.bytes;
    if (held < bytes && i + 1 < groups.length) return;
    const rows = groups.slice(from, i + 1).reduce((sum, one) => sum + one.rows, 0);
    slices.push({ from, to: i + 1, ...(most === undefined ? {} : { most: rows }) });
    [from, held] = [i + 1, 0];
  });
  if (groups.every(({ rows }) => rows === 0)) {
    throw new FileFormatError(`${name} has no rows, so it has no text.`, { asked: name });
  }
  return slices;
}

/** The texts of a part, one after the other. @throws as `textRows` */
export async function* sliceTexts(
  source: ByteSource,
  slice: Slice,
  { column, signal }: SliceOptions,
): AsyncGenerator<string> {
  const kind = kindOfTexts(source.name);
  let part = slice;
  if (kind !== "parquet") {
    const from = await lineStart(source, slice.from, kind, signal);
    part = { from, to: Math.max(from, await lineStart(source, slice.to, kind, signal)) };
  }
  const wanted = { column, slice: part, signal, ...(slice.most === undefined ? {} : { most: slice.most }) };
  for await (const texts of textGroups(source, wanted)) yield* texts;
}

/** The place at or after `at` where a line begins; in a text that has none nearby, where a character does. */
async function lineStart(
  source: ByteSource,
  at: number,
  kind: "text" | "json lines",
  signal: AbortSignal | undefined,
): Promise<number> {
  const { name, size } = source;
  if (at === 0 || at >= size) return Math.min(at, size);
  // The line's end before it, so that a line that begins exactly here is found.
  const end = Math.min(size, at - 1 + (kind === "text" ? FAR : LONGEST_LINE));
  for (let from = at - 1; from < end; from += STEP) {
    const bytes = await source.read(from, Math.min(end, from + STEP), signal);
    const found = bytes.indexOf(10);
    if (found >= 0) return from + found + 1;
  }
  if (end === size) return size;
  if (kind === "json lines") {
    throw new FileFormatError(
      `${name} has a line of over ${Math.floor(LONGEST_LINE / 1e6)} MB at byte ${at}, more than can be read: split its text into several lines.`,
      { asked: name, found: at },
    );
  }
  const bytes = await source.read(at, Math.min(size, at + 4), signal);
  const start = bytes.findIndex((byte) => (byte & 0xc0) !== 0x80);
  return at + Math.max(0, start);
}
