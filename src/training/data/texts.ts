/** Texts in files: a text file is one text, JSON lines and Parquet have one per row. */
import { type ByteSource, parseJsonObject } from "../../load/bytes.ts";
import { unpackedName } from "../../load/file-kinds.ts";
import { textPieces } from "../../load/text-pieces.ts";
import { ArgumentError, FileFormatError } from "../../tensor/errors.ts";
import { ANYTHING, SIGNAL, TEXT } from "../../tensor/kinds.ts";
import { nearest } from "../../tensor/nearest.ts";
import { checkOptions, type OptionKinds } from "../../tensor/options.ts";
import { shown } from "../../tensor/show.ts";
import { requireCount } from "./batches.ts";
import { parquetTexts, requireFewTexts } from "./parquet.ts";
import { requireText } from "./require-text.ts";

/** How to find the texts. */
export interface TextsOptions {
  /** The field of each JSON line, or the column of a Parquet file, that has the text. Default `text`. */
  readonly column?: string | undefined;
  /** The most texts, starting with the first: nothing after them is read. */
  readonly maxTexts?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

const KINDS: OptionKinds<TextsOptions> = { column: TEXT, maxTexts: ANYTHING, signal: SIGNAL };

/** The most characters of a text file that become one text; a longer file becomes several, each ending at the end of a line. */
const LONGEST_TEXT = 2 ** 28;
/** The most characters in a line of JSON. */
export const LONGEST_LINE = 2 ** 27;
/** The size of the first piece in bytes, if only a few texts are needed; later pieces are longer. */
const FIRST_PIECE = 2 ** 16;

/**
 * The texts of a file, depending on its extension: one for a `.txt` (several if it has over 268 million characters), one per line of a `.jsonl`,
 * one per row of a `.parquet` (with any of its codecs).
 * @throws as `textRows`
 */
export async function readTexts(source: ByteSource, options: TextsOptions = {}): Promise<string[]> {
  const texts: string[] = [];
  for await (const text of textRows(source, options)) requireFewTexts(source.name, texts.push(text));
  return texts;
}

/**
 * The texts of a file one after the other, as in `readTexts`; the file is read in pieces as they are needed.
 * @throws FileFormatError for something that is not UTF-8 text (saying what it is), a line that is not JSON, a row without such a
 * field or with something other than text in it; ArgumentError for an invalid `maxTexts`.
 */
export async function* textRows(source: ByteSource, options: TextsOptions = {}): AsyncGenerator<string> {
  checkOptions("readTexts", options, KINDS);
  if (typeof source?.read !== "function" || typeof source.name !== "string") {
    throw new ArgumentError(
      `readTexts takes a ByteSource, as returned by fileSource, memorySource and urlSource, not ${shown(source)}.`,
      { asked: source },
    );
  }
  const { column = "text", maxTexts = Number.POSITIVE_INFINITY, signal } = options;
  if (maxTexts !== Number.POSITIVE_INFINITY) requireCount("maxTexts", maxTexts);
  let left = maxTexts;
  for await (const texts of textGroups(source, { column, most: maxTexts, signal })) {
    for (const text of texts) {
      yield text;
      if (--left === 0) return;
    }
  }
}

/** Other kinds of files that contain texts, and what to do with them. */
const TABLE = "a table: save the column with the texts as JSON lines (.jsonl) or as Parquet";
const OTHER_KINDS: Readonly<Record<string, string>> = {
  json: "JSON. If it has one object per line, name it .jsonl; if it is one list, save its objects as JSON lines",
  csv: TABLE,
  tsv: TABLE,
  html: "a web page: save its text as .txt",
  htm: "a web page: save its text as .txt",
  xml: "XML: save its texts as JSON lines (.jsonl)",
};

/** What the texts of a file are in. @throws FileFormatError for a table, a web page and the like */
export function kindOfTexts(name: string): "text" | "json lines" | "parquet" {
  const ending = /\.([^./\\]*)$/.exec(unpackedName(name))?.[1].toLowerCase() ?? "";
  if (Object.hasOwn(OTHER_KINDS, ending)) {
    throw new FileFormatError(`${name} is ${OTHER_KINDS[ending]}.`, { asked: name, found: ending });
  }
  if (ending === "parquet") return "parquet";
  return ending === "jsonl" || ending === "ndjson" ? "json lines" : "text";
}

/** A part of a file: bytes from where a line begins up to where one ends; of Parquet, row groups by their numbers. */
export interface Slice {
  readonly from: number;
  /** Not included. */
  readonly to: number;
  /** Of Parquet: only this many texts, the first. */
  readonly most?: number;
}

/** Which texts. */
interface Wanted {
  readonly column: string;
  /** The most texts. */
  readonly most?: number;
  /** Default: all of the file. */
  readonly slice?: Slice | undefined;
  readonly signal: AbortSignal | undefined;
}

/** The texts of a file or a part of it, some at a time. @throws as `textRows` */
export function textGroups(
  source: ByteSource,
  { column, most = Number.POSITIVE_INFINITY, slice, signal }: Wanted,
): AsyncGenerator<Iterable<string>> {
  const { name } = source;
  const kind = kindOfTexts(name);
  if (kind === "parquet") return parquetTexts(source, column, most, signal, slice);
  const pieces = webPageRefused(textPieces(source, signal, most < 1e5 ? FIRST_PIECE : undefined, slice), name);
  if (kind === "text") return longTexts(pieces);
  return jsonLines(
    pieces,
    slice && slice.from > 0 ? `after byte ${slice.from} of ${name}` : `of ${name}`,
    name,
    column,
  );
}

/** The pieces; a failed download is often a web page. */
async function* webPageRefused(pieces: AsyncGenerator<string>, name: string): AsyncGenerator<string> {
  let first = true;
  for await (const piece of pieces) {
    if (first && /^\s*<(!doctype html|html)[\s>]/i.test(piece.slice(0, 1000))) {
      throw new FileFormatError(`${name} is a web page, perhaps an error page instead of the file: look at it.`, {
        asked: name,
      });
    }
    first = false;
    yield piece;
  }
}

async function* longTexts(pieces: AsyncGenerator<string>): AsyncGenerator<readonly string[]> {
  let text = "";
  for await (const piece of pieces) {
    if (text.length + piece.length > LONGEST_TEXT) {
      const end = text.lastIndexOf("\n") + 1 || text.length;
      if (/\S/.test(text)) yield [text.slice(0, end)];
      text = text.slice(end);
    }
    text += piece;
  }
  if (/\S/.test(text)) yield [text];
}

/** The texts of the lines that end in each piece. @param ofWhat follows a line's number in errors */
async function* jsonLines(
  pieces: AsyncGenerator<string>,
  ofWhat: string,
  name: string,
  column: string,
): AsyncGenerator<Iterable<string>> {
  let done = 0;
  // Line by line, as they are needed: errors after the last one that is needed do not matter.
  function* read(lines: readonly string[]): Generator<string> {
    for (const line of lines) {
      done++;
      if (line.trim() !== "") yield textOf(line, `Line ${done} ${ofWhat}`, column, name);
    }
  }
  let rest = "";
  for await (const piece of pieces) {
    const lines = piece.split("\n");
    lines[0] = rest + lines[0];
    rest = lines.pop()!;
    yield read(lines);
    if (rest.length > LONGEST_LINE) {
      throw new FileFormatError(
        `Line ${done + 1} ${ofWhat} has over ${Math.floor(LONGEST_LINE / 1e6)} million characters, more than can be read: split its text into several lines.`,
        { asked: name, found: done + 1 },
      );
    }
  }
  yield read([rest]);
}

function textOf(line: string, where: string, column: string, name: string): string {
  // A list, or one object, that spans several lines.
  if (/^\s*(\[|\{\s*$)/.test(line)) {
    const what = line.trim().startsWith("[") ? "a list" : "an object that spans several lines";
    throw new FileFormatError(
      `${where} begins ${what}, but a .jsonl file has one JSON object on each line, {"${column}": "…"}: convert ${name}.`,
      { asked: name, found: what },
    );
  }
  const fields = parseJsonObject(line, where);
  if (Object.hasOwn(fields, column)) return requireText(fields[column], where, column);
  const names = Object.keys(fields);
  throw new FileFormatError(
    `${where} has no text under "${column}"; its fields are ${names.join(", ") || "none"}. Name the right field as \`column\`.`,
    { asked: column, found: names, nearest: nearest(column, names) },
  );
}
