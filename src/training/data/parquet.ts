/**
 * One column of texts in a Parquet file, read by ranges: the footer, and of each row group only that column's pages, when their
 * texts are needed. Nothing that a file claims is trusted: memory depends on the bytes that are actually read and the texts that come
 * out of them.
 */
import type { ByteSource } from "../../load/bytes.ts";
import { FileFormatError, GlassformerError } from "../../tensor/errors.ts";
import { needMemory } from "../../tensor/free-memory.ts";
import { nearest } from "../../tensor/nearest.ts";
import { webPage } from "../../text/beginnings.ts";
import { notText } from "../../text/not-text.ts";
import { Damage, Unread } from "./parquet/damage.ts";
import { Footer } from "./parquet/footer.ts";
import { requireText } from "./require-text.ts";

/** The most texts in one list: V8's limit for a growing list is not far above. */
const MOST_TEXTS = 2 ** 25;
/** After this many bytes of texts, memory is checked for as many more, because the caller holds on to them. */
const STEP = 2 ** 27;
/** The bytes of memory that a text takes besides its letters, and of its slot in a growing list. */
const TEXT_BYTES = 24;
const PLACE_BYTES = 16;

/**
 * The texts of each part of the rows, in order, as they are needed.
 * @param most the most texts: nothing after those is read
 * @param part the row groups that are read, by their numbers
 * @throws FileFormatError for something that is not a Parquet file, lacks the column, or has no text in it; MemoryError for more texts than
 * fit in memory.
 */
export async function* parquetTexts(
  source: ByteSource,
  column: string,
  most: number,
  signal: AbortSignal | undefined,
  part: { readonly from: number; readonly to: number } = { from: 0, to: Number.POSITIVE_INFINITY },
): AsyncGenerator<string[]> {
  const { name } = source;
  const reading = <T>(work: () => T | Promise<T>) => asFileErrors(source, signal, work);
  const footer = await reading(() => Footer.read(source, signal));
  const found = await reading(() => footer.column(column));
  if (!found) throw await reading(() => noColumn(name, column, footer.names()));
  // The decompressors are loaded only when Parquet is read.
  const { ColumnTexts } = await import("./parquet/column.ts");
  const room = roomFor(name);
  const groups = footer.groups(column);
  let row = 0;
  let passed = 0; // rows of the groups before
  const refused = (value: unknown) => requireText(value, `Row ${passed + row} of ${name}`, column);
  for (let number = 0; row < most && number < part.to; number++) {
    signal?.throwIfAborted();
    const group = await reading(() => groups.next().value);
    if (!group) return;
    if (number < part.from) passed += group.rows;
    if (group.rows === 0 || number < part.from) continue;
    if ("other" in found) refused(found.other);
    requireFewTexts(name, Math.min(row + group.rows, most));
    const texts = new ColumnTexts(source, found, await reading(group.chunk), signal);
    while (row < most) {
      const batch = await reading(() => texts.next(most - row));
      if (batch === undefined) break;
      if (batch === null) refused(null);
      else {
        const { length } = batch.texts;
        room(batch.bytes + length * (PLACE_BYTES + (batch.bytes > 0 ? TEXT_BYTES : 0)));
        yield batch.texts;
        row += length;
      }
    }
  }
}

/** The row groups of a Parquet file: how many rows each has, and how many packed bytes of that column. @throws as `parquetTexts` */
export async function parquetGroups(
  source: ByteSource,
  column: string,
  signal: AbortSignal | undefined,
): Promise<{ readonly rows: number; readonly bytes: number }[]> {
  const reading = <T>(work: () => T | Promise<T>) => asFileErrors(source, signal, work);
  const footer = await reading(() => Footer.read(source, signal));
  if (!(await reading(() => footer.column(column))))
    throw await reading(() => noColumn(source.name, column, footer.names()));
  return reading(() =>
    Array.from(footer.groups(column), (group) => {
      if (group.rows === 0) return { rows: 0, bytes: 0 };
      const { start, end } = group.chunk();
      return { rows: group.rows, bytes: end - start };
    }),
  );
}

/** @throws FileFormatError for more texts than one list can hold */
export function requireFewTexts(name: string, count: number): void {
  if (count <= MOST_TEXTS) return;
  throw new FileFormatError(
    `${name} has over ${Math.floor(MOST_TEXTS / 1e6)} million texts, more than one list can hold: read fewer (\`maxTexts\`), or split it into several files.`,
    { asked: name, found: count },
  );
}

function noColumn(name: string, asked: string, columns: readonly string[]): FileFormatError {
  return new FileFormatError(
    `${name} has no column "${asked}"; its columns are ${columns.join(", ")}. Name the one with the texts as \`column\`.`,
    { asked, found: columns, nearest: nearest(asked, columns) },
  );
}

/** Counts the memory that texts take, and refuses more than there is. */
function roomFor(name: string): (bytes: number) => void {
  let held = 0;
  let allowed = STEP / 2;
  return (bytes) => {
    held += bytes;
    if (held <= allowed) return;
    allowed = held + STEP;
    needMemory({
      what: `The texts of ${name}, so far,`,
      bytes: allowed,
      held,
      heap: true,
      advice: "read fewer of them (`maxTexts`), or split the file",
    });
  };
}

/** Turns the reader's errors into errors about the file. */
async function asFileErrors<T>(
  { name, size, read }: ByteSource,
  signal: AbortSignal | undefined,
  work: () => T | Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    signal?.throwIfAborted();
    if (cause instanceof GlassformerError) throw cause;
    const start = await read(0, Math.min(size, 4096), signal);
    const beginning = size === 0 ? "empty" : (notText(start) ?? webPage(String.fromCharCode(...start)));
    let why = `it is ${beginning}`;
    if (beginning === undefined || beginning.startsWith("a Parquet file")) {
      const own = cause instanceof Damage || cause instanceof Unread;
      if (!own) throw cause;
      why = cause instanceof Unread ? cause.message : `it is damaged: ${cause.message}`;
    }
    throw new FileFormatError(`${name} cannot be read as Parquet: ${why}.`, { asked: name, cause });
  }
}
