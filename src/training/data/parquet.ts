/**
 * One column of texts of a Parquet file, read by ranges: its footer, and of each row group that column's pages alone, as their
 * texts are asked for. Nothing is believed that a file claims: memory goes with the bytes that are read and the texts that come
 * of them.
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

/** Texts in one list: V8's limit for a list that grows is not far above. */
const MOST_TEXTS = 2 ** 25;
/** Bytes of texts after which it is seen whether as many more have room: whoever reads them holds them. */
const STEP = 2 ** 27;
/** Bytes of memory of a text beside its letters, and of its place in a list that grows. */
const TEXT_BYTES = 24;
const PLACE_BYTES = 16;

/**
 * The texts of each part of the rows, in order, as they are asked for.
 * @param most how many texts at most: what is after those is not read
 * @throws FileFormatError for what is no Parquet file, lacks the column, or holds no text in it; MemoryError for more texts than
 * there is room for.
 */
export async function* parquetTexts(
  source: ByteSource,
  column: string,
  most: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<string[]> {
  const { name } = source;
  const reading = <T>(work: () => T | Promise<T>) => asFileErrors(source, signal, work);
  const footer = await reading(() => Footer.read(source, signal));
  const found = await reading(() => footer.column(column));
  if (!found) throw await reading(() => noColumn(name, column, footer.names()));
  // Only who reads Parquet waits for what unpacks it.
  const { ColumnTexts } = await import("./parquet/column.ts");
  const room = roomFor(name);
  const groups = footer.groups(column);
  let row = 0;
  const refused = (value: unknown) => requireText(value, `Row ${row} of ${name}`, column);
  while (row < most) {
    signal?.throwIfAborted();
    const group = await reading(() => groups.next().value);
    if (!group) return;
    if (group.rows === 0) continue;
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

/** @throws FileFormatError for more texts than are held at once */
export function requireFewTexts(name: string, count: number): void {
  if (count <= MOST_TEXTS) return;
  throw new FileFormatError(
    `${name} has over ${Math.floor(MOST_TEXTS / 1e6)} million texts, more than are held at once: ask for fewer (\`maxTexts\`), or write several files.`,
    { asked: name, found: count },
  );
}

function noColumn(name: string, asked: string, columns: readonly string[]): FileFormatError {
  return new FileFormatError(
    `${name} has no column "${asked}"; its columns are ${columns.join(", ")}. Name the one with the texts: \`column\`.`,
    { asked, found: columns, nearest: nearest(asked, columns) },
  );
}

/** What is told of the memory that texts take, and refuses more than there is. */
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
      advice: "read fewer of them (`maxTexts`), or write several files",
    });
  };
}

/** The reader's own errors are about the file. */
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
    const found = size === 0 ? "empty" : (notText(start) ?? webPage(String.fromCharCode(...start)));
    let why = `it is ${found}`;
    if (found === undefined || found.startsWith("a Parquet file")) {
      const own = cause instanceof Damage || cause instanceof Unread;
      if (!own) throw cause;
      why = cause instanceof Unread ? cause.message : `it is damaged: ${cause.message}`;
    }
    throw new FileFormatError(`${name} cannot be read as Parquet: ${why}.`, { asked: name, cause });
  }
}
