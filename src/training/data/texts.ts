/** Texts in files: a text file is one text, JSON lines and Parquet have one a row. */
import { type ByteSource, parseJsonObject } from "../../load/bytes.ts";
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
  /** The field of each JSON line, or the column of a Parquet file, that holds the text; `text` unless given. */
  readonly column?: string | undefined;
  /** How many at most, from the first on: what is after them is not even read. */
  readonly maxTexts?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

const KINDS: OptionKinds<TextsOptions> = { column: TEXT, maxTexts: ANYTHING, signal: SIGNAL };

/** Characters of a text file that become one text; what is longer is several, each ending where a line does. */
const LONGEST_TEXT = 2 ** 28;
/** Characters of a line of JSON. */
const LONGEST_LINE = 2 ** 27;
/** Bytes of the first piece, where a few texts are asked for; pieces get longer. */
const FIRST_PIECE = 2 ** 16;

/**
 * The texts of a file, by its name: one of a `.txt` (of over 268 million characters, several), one a line of a `.jsonl`,
 * one a row of a `.parquet` (of any of its codecs).
 * @throws as `textRows`
 */
export async function readTexts(source: ByteSource, options: TextsOptions = {}): Promise<string[]> {
  const texts: string[] = [];
  for await (const text of textRows(source, options)) requireFewTexts(source.name, texts.push(text));
  return texts;
}

/**
 * The texts of a file one after the other, as `readTexts` finds them; the file is read in pieces as they are asked for.
 * @throws FileFormatError for what is no UTF-8 text (which says what it is), a line that is not JSON, a row without such a
 * field or with something else than text in it; ArgumentError for a `maxTexts` that is no count.
 */
export async function* textRows(source: ByteSource, options: TextsOptions = {}): AsyncGenerator<string> {
  checkOptions("readTexts", options, KINDS);
  if (typeof source?.read !== "function" || typeof source.name !== "string") {
    throw new ArgumentError(
      `readTexts reads a ByteSource, as fileSource, memorySource and urlSource give it, not ${shown(source)}.`,
      { asked: source },
    );
  }
  const { column = "text", maxTexts = Number.POSITIVE_INFINITY, signal } = options;
  if (maxTexts !== Number.POSITIVE_INFINITY) requireCount("maxTexts", maxTexts);
  let left = maxTexts;
  for await (const texts of groups(source, column, maxTexts, signal)) {
    for (const text of texts) {
      yield text;
      if (--left === 0) return;
    }
  }
}

/** Other kinds of file that texts come in, and what to do with them. */
const TABLE = "a table: write the column with the texts as JSON lines (.jsonl), or as Parquet";
const OTHER_KINDS: Readonly<Record<string, string>> = {
  json: "JSON. If it has an object a line, name it .jsonl; if it is one list, write its objects as JSON lines",
  csv: TABLE,
  tsv: TABLE,
  html: "a web page: save its text as .txt",
  htm: "a web page: save its text as .txt",
  xml: "XML: write its texts as JSON lines (.jsonl)",
};

function groups(
  source: ByteSource,
  column: string,
  maxTexts: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Iterable<string>> {
  const { name } = source;
  const ending = /\.([^./\\]*)$/.exec(name)?.[1].toLowerCase() ?? "";
  if (Object.hasOwn(OTHER_KINDS, ending)) {
    throw new FileFormatError(`${name} is ${OTHER_KINDS[ending]}.`, { asked: name, found: ending });
  }
  if (ending === "parquet") return parquetTexts(source, column, maxTexts, signal);
  const pieces = webPageRefused(textPieces(source, signal, maxTexts < 1e5 ? FIRST_PIECE : undefined), name);
  return ending === "jsonl" || ending === "ndjson" ? jsonLines(pieces, name, column) : longTexts(pieces);
}

/** The pieces; a download that went wrong is a web page often. */
async function* webPageRefused(pieces: AsyncGenerator<string>, name: string): AsyncGenerator<string> {
  let first = true;
  for await (const piece of pieces) {
    if (first && /^\s*<(!doctype html|html)[\s>]/i.test(piece.slice(0, 1000))) {
      throw new FileFormatError(`${name} is a web page, perhaps in place of a file that was not there: look at it.`, {
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

/** The texts of the lines that end in each piece. */
async function* jsonLines(
  pieces: AsyncGenerator<string>,
  name: string,
  column: string,
): AsyncGenerator<Iterable<string>> {
  let done = 0;
  // Line by line, as they are asked for: nobody minds what is wrong after the last that is.
  function* read(lines: readonly string[]): Generator<string> {
    for (const line of lines) {
      done++;
      if (line.trim() !== "") yield textOf(line, `Line ${done} of ${name}`, column, name);
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
        `Line ${done + 1} of ${name} has over ${Math.floor(LONGEST_LINE / 1e6)} million characters, more than is read: break its text into several lines.`,
        { asked: name, found: done + 1 },
      );
    }
  }
  yield read([rest]);
}

function textOf(line: string, where: string, column: string, name: string): string {
  // A list, or one object, that is written over several lines.
  if (/^\s*(\[|\{\s*$)/.test(line)) {
    const what = line.trim().startsWith("[") ? "a list" : "an object over several lines";
    throw new FileFormatError(
      `${where} begins ${what}, but a .jsonl has a JSON object on each line: {"${column}": "…"}. Write ${name} so.`,
      { asked: name, found: what },
    );
  }
  const fields = parseJsonObject(line, where);
  if (Object.hasOwn(fields, column)) return requireText(fields[column], where, column);
  const names = Object.keys(fields);
  throw new FileFormatError(
    `${where} has no text under "${column}"; its fields are ${names.join(", ") || "none"}. Name the field with \`column\`.`,
    { asked: column, found: names, nearest: nearest(column, names) },
  );
}
