/** Texts in files: a text file is one text, JSON lines and Parquet have one a row. */
import { type ByteSource, parseJsonObject, readText } from "../../load/bytes.ts";
import { FileFormatError } from "../../tensor/errors.ts";
import { nearest } from "../../tensor/nearest.ts";
import { requireCount } from "./batches.ts";
import { readParquetTexts } from "./parquet.ts";
import { requireText } from "./require-text.ts";

/** How to find the texts. */
export interface TextsOptions {
  /** The field of each JSON line, or the column of a Parquet file, that holds the text; `text` unless given. */
  readonly column?: string | undefined;
  /** How many at most, from the first on: of a Parquet file, what is after them is not even read. */
  readonly maxTexts?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The texts of a file, by its name: one of a `.txt`, one a line of a `.jsonl`, one a row of a `.parquet` (of any of its
 * codecs).
 * @throws FileFormatError for text that is not UTF-8, a line that is not JSON, a row without such a field or with something
 * else than text in it; ArgumentError for a `maxTexts` that is no count.
 */
export async function readTexts(source: ByteSource, options: TextsOptions = {}): Promise<string[]> {
  const { column = "text", maxTexts = Number.POSITIVE_INFINITY, signal } = options;
  if (maxTexts !== Number.POSITIVE_INFINITY) requireCount("maxTexts", maxTexts);
  if (/\.parquet$/i.test(source.name)) return readParquetTexts(source, column, maxTexts, signal);
  const content = await readText(source, signal);
  if (!/\.(jsonl|ndjson)$/i.test(source.name)) return content.trim() === "" ? [] : [content];
  const texts: string[] = [];
  for (const [i, line] of content.split("\n").entries()) {
    if (texts.length >= maxTexts) break;
    if (line.trim() !== "") texts.push(textOf(line, `Line ${i + 1} of ${source.name}`, column));
  }
  return texts;
}

function textOf(line: string, where: string, column: string): string {
  const fields = parseJsonObject(line, where);
  if (fields[column] !== undefined) return requireText(fields[column], where, column);
  const names = Object.keys(fields);
  throw new FileFormatError(
    `${where} has no text under "${column}"; its fields are ${names.join(", ") || "none"}. Name the field with \`column\`.`,
    { asked: column, found: names, nearest: nearest(column, names) },
  );
}
