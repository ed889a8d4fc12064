/** Prompts from the bytes of a file: one per line, a JSON list, or JSON Lines. */
import { InputError } from "../tensor/errors.ts";
import { shown } from "../tensor/show.ts";
import { jsonErrorOffset } from "./json-position.ts";
import { decodeUtf8 } from "./utf8.ts";

/**
 * The prompts in a file. The extension gives the format:
 * - `.json`: an array of strings, or of objects with the string `prompt` or `text`;
 * - `.jsonl`, `.ndjson`: such a string or object on each line (blank lines are skipped);
 * - `.csv`, `.tsv` and `.parquet` are refused;
 * - anything else: one prompt per line, keeping spaces at its ends, because they change the tokens.
 *
 * @param name the file's name, for its extension and for messages (or "-" for standard input, say).
 * @throws InputError if the file is empty or not UTF-8 (with the offset of the byte), if a prompt is empty or missing (with
 * the line or the position in the list), or if JSON is garbled (with line and column).
 */
export function parsePrompts(bytes: Uint8Array, name: string): string[] {
  if (!(bytes instanceof Uint8Array) || typeof name !== "string") {
    throw new InputError(`parsePrompts takes a file's bytes and its name, not ${shown(bytes)} and ${shown(name)}.`, {
      asked: name,
    });
  }
  const ending = /\.[^./\\]*$/.exec(name)?.[0].toLowerCase();
  if (ending === ".csv" || ending === ".tsv" || ending === ".parquet") {
    throw new InputError(`${name} is a table: save its prompts one per line (.txt), or as a JSON list (.json).`, {
      asked: name,
      found: ending,
    });
  }
  const text = decodeUtf8(bytes, name);
  if (text.trim() === "") {
    throw new InputError(`${name} is empty: put a prompt on each line.`, { asked: name });
  }
  if (ending === ".json") return fromJson(text, name);
  if (ending === ".jsonl" || ending === ".ndjson") return fromJsonLines(text, name);
  return fromLines(text, name);
}

function fromLines(text: string, name: string): string[] {
  const lines = linesOf(text);
  lines.forEach((line, i) => {
    if (line.trim() === "") throw emptyPrompt(name, `line ${i + 1}`, i + 1, "Remove the line or fill it.");
  });
  return lines;
}

function fromJson(text: string, name: string): string[] {
  const list = parseJson(text, name, 1);
  if (!Array.isArray(list)) {
    throw new InputError(
      `${name} must be an array of prompts, ["first prompt", "second prompt"], not ${kindOf(list)}.`,
      { asked: name, found: kindOf(list) },
    );
  }
  if (list.length === 0) throw new InputError(`${name} has no prompts: its array is empty.`, { asked: name });
  return list.map((item, i) => promptOf(item, name, `entry ${i + 1}`, i + 1));
}

function fromJsonLines(text: string, name: string): string[] {
  return linesOf(text).flatMap((line, i) =>
    line.trim() === "" ? [] : [promptOf(parseJson(line, name, i + 1), name, `line ${i + 1}`, i + 1)],
  );
}

/** Lines without their ends; a newline at the end does not begin a new line. */
function linesOf(text: string): string[] {
  const lines = text.split(/\r\n|\n|\r/);
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

function promptOf(item: unknown, name: string, place: string, index: number): string {
  const fields = typeof item === "object" && item !== null ? (item as { prompt?: unknown; text?: unknown }) : undefined;
  const prompt = fields === undefined ? item : (fields.prompt ?? fields.text);
  if (typeof prompt !== "string") {
    throw new InputError(
      `The ${place} of ${name} must be a string, or an object with the string "prompt" or "text", not ${kindOf(item)}.`,
      { asked: name, found: index },
    );
  }
  if (prompt === "") throw emptyPrompt(name, place, index, "Remove it or fill it.");
  return prompt;
}

function emptyPrompt(name: string, place: string, index: number, advice: string): InputError {
  return new InputError(`The prompt at ${place} of ${name} is empty. ${advice}`, { asked: name, found: index });
}

function parseJson(text: string, name: string, firstLine: number): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const offset = jsonErrorOffset(text);
    const before = text.slice(0, offset).split("\n");
    const line = firstLine + before.length - 1;
    const column = before.at(-1)!.length + 1;
    const found =
      offset >= text.length ? "the text ends there" : `it has ${JSON.stringify(excerpt(text, offset))} there`;
    throw new InputError(`${name} is not valid JSON at line ${line}, column ${column}: ${found}.`, {
      asked: name,
      found: { line, column },
      cause,
    });
  }
}

function excerpt(text: string, offset: number): string {
  const rest = text.slice(offset, offset + 20).split("\n")[0];
  return text.length > offset + 20 ? rest + "…" : rest;
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  if (typeof value !== "object") return `a ${typeof value}`;
  return `an object with the keys ${Object.keys(value).slice(0, 8).join(", ") || "(none)"}`;
}
