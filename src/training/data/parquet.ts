/** One column of texts of a Parquet file, read by ranges: its footer, and of each row group that column's pages alone. */
import type { AsyncBuffer } from "hyparquet";
import type { ByteSource } from "../../load/bytes.ts";
import { FileFormatError, GlassformerError } from "../../tensor/errors.ts";
import { nearest } from "../../tensor/nearest.ts";
import { shortened } from "../../tensor/show.ts";
import { webPage } from "../../text/beginnings.ts";
import { notText } from "../../text/not-text.ts";
import { requireText } from "./require-text.ts";

/**
 * The texts of each part of the rows, in order; a row group is read when it is asked for.
 * @param most how many texts at most: row groups after those are not read
 * @throws FileFormatError for what is no Parquet file, lacks the column, or holds no text in it.
 */
export async function* parquetTexts(
  source: ByteSource,
  column: string,
  most: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<string[]> {
  // Only who reads Parquet waits for its reader.
  const [{ parquetMetadataAsync, parquetReadObjects, parquetSchema }, { compressors }] = await Promise.all([
    import("hyparquet"),
    import("hyparquet-compressors"),
  ]);
  const file: AsyncBuffer = {
    byteLength: source.size,
    async slice(start, end = source.size) {
      const bytes = await source.read(start, end, signal);
      return bytes.byteLength === bytes.buffer.byteLength ? (bytes.buffer as ArrayBuffer) : bytes.slice().buffer;
    },
  };
  const metadata = await asFileErrors(source, signal, () => parquetMetadataAsync(file));
  const columns = await asFileErrors(source, signal, async () =>
    parquetSchema(metadata).children.map(({ element }) => element.name),
  );
  if (!columns.includes(column)) {
    throw new FileFormatError(
      `${source.name} has no column "${column}"; its columns are ${columns.join(", ")}. Name the one with the texts: \`column\`.`,
      { asked: column, found: columns, nearest: nearest(column, columns) },
    );
  }
  let rowStart = 0;
  let left = most;
  for (const group of metadata.row_groups) {
    if (left <= 0) return;
    signal?.throwIfAborted();
    const count = Number(group.num_rows);
    const rowEnd = rowStart + Math.min(count, left);
    const rows = await asFileErrors(source, signal, async () => {
      if (!Number.isSafeInteger(rowEnd) || count < 0) throw new Error(`a row group has ${count} rows`);
      return parquetReadObjects({ file, metadata, compressors, columns: [column], rowStart, rowEnd });
    });
    yield rows.map((row, i) => requireText(row[column], `Row ${rowStart + i} of ${source.name}`, column));
    left -= rows.length;
    rowStart += count;
  }
}

/** The reader's own errors are about the file. */
async function asFileErrors<T>(
  { name, size, read }: ByteSource,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    signal?.throwIfAborted();
    if (cause instanceof GlassformerError) throw cause;
    const start = await read(0, Math.min(size, 4096), signal);
    const found = size === 0 ? "empty" : (notText(start) ?? webPage(String.fromCharCode(...start)));
    // The reader's own words begin with "parquet"; other errors of its are about its variables, as damage brings them forth.
    const own = /^parquet /.test((cause as Error).message) ? `: ${shortened((cause as Error).message, 200)}` : "";
    const why =
      found === undefined || found.startsWith("a Parquet file")
        ? `it is damaged, cut off or of a kind that is not read${own}`
        : `it is ${found}`;
    throw new FileFormatError(`${name} cannot be read as Parquet: ${why}.`, {
      asked: name,
      cause,
    });
  }
}
