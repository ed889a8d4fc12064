/** One column of texts of a Parquet file, read by ranges: its footer, and of each row group that column's pages alone. */
import type { AsyncBuffer } from "hyparquet";
import type { ByteSource } from "../../load/bytes.ts";
import { FileFormatError, GlassformerError } from "../../tensor/errors.ts";
import { nearest } from "../../tensor/nearest.ts";
import { requireText } from "./require-text.ts";

/**
 * @param most how many texts at most: row groups after those are not read
 * @throws FileFormatError for what is no Parquet file, lacks the column, or holds no text in it.
 */
export async function readParquetTexts(
  source: ByteSource,
  column: string,
  most: number,
  signal: AbortSignal | undefined,
): Promise<string[]> {
  // Only who reads Parquet waits for its reader.
  const [{ parquetMetadataAsync, parquetReadObjects, parquetSchema }, { compressors }] = await Promise.all([
    import("hyparquet"),
    import("hyparquet-compressors"),
  ]);
  const file: AsyncBuffer = {
    byteLength: source.size,
    async slice(start, end = source.size) {
      const bytes = await source.read(start, end, signal);
      return bytes.slice().buffer;
    },
  };
  return asFileErrors(source.name, signal, async () => {
    const metadata = await parquetMetadataAsync(file);
    const columns = parquetSchema(metadata).children.map(({ element }) => element.name);
    if (!columns.includes(column)) {
      throw new FileFormatError(
        `${source.name} has no column "${column}"; its columns are ${columns.join(", ")}. Name the one with the texts: \`column\`.`,
        { asked: column, found: columns, nearest: nearest(column, columns) },
      );
    }
    const texts: string[] = [];
    let rowStart = 0;
    for (const group of metadata.row_groups) {
      if (texts.length >= most) break;
      signal?.throwIfAborted();
      const rowEnd = rowStart + Math.min(Number(group.num_rows), most - texts.length);
      const rows = await parquetReadObjects({ file, metadata, compressors, columns: [column], rowStart, rowEnd });
      for (const [i, row] of rows.entries())
        texts.push(requireText(row[column], `Row ${rowStart + i} of ${source.name}`, column));
      rowStart += Number(group.num_rows);
    }
    return texts;
  });
}

/** The reader's own errors are about the file. */
async function asFileErrors<T>(name: string, signal: AbortSignal | undefined, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    signal?.throwIfAborted();
    if (cause instanceof GlassformerError) throw cause;
    throw new FileFormatError(`${name} cannot be read as Parquet: ${(cause as Error).message.replace(/\.$/, "")}.`, {
      asked: name,
      cause,
    });
  }
}
