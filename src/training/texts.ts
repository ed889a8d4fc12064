/** Texts in files: a text file is one text, a file of JSON lines one a line. */
import { type ByteSource, parseJsonObject, readText } from "../load/bytes.ts";
import { FileFormatError, nearest } from "../tensor/errors.ts";

/** How to find the texts. */
export interface TextsOptions {
  /** The field of each JSON line that holds the text; `text` unless given. */
  readonly column?: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The texts of a file, by its name: one of a `.txt`, one a line of a `.jsonl`.
 * @throws FileFormatError for text that is not UTF-8, a line that is not JSON or lacks the field, a `.parquet` file.
 */
export async function readTexts(source: ByteSource, { column = "text", signal }: TextsOptions = {}): Promise<string[]> {
  if (/\.parquet$/i.test(source.name)) {
    throw new FileFormatError(
      `${source.name} is a Parquet file, which is not read. Write it as JSON lines first: one {"${column}": …} a line.`,
      { asked: source.name },
    );
  }
  const content = await readText(source, signal);
  if (!/\.(jsonl|ndjson)$/i.test(source.name)) return content.trim() === "" ? [] : [content];
  return content.split("\n").flatMap((line, i) => {
    if (line.trim() === "") return [];
    const where = `Line ${i + 1} of ${source.name}`;
    const fields = parseJsonObject(line, where);
    const text = fields[column];
    if (typeof text === "string") return [text];
    throw new FileFormatError(
      `${where} has no text under "${column}"; its fields are ${Object.keys(fields).join(", ") || "none"}. Name the field with \`column\`.`,
      { asked: column, found: Object.keys(fields), nearest: nearest(column, Object.keys(fields)) },
    );
  });
}
