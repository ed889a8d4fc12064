/** Checks that the value in a row is a text. */
import { FileFormatError, InputError } from "../../tensor/errors.ts";
import { shown } from "../../tensor/show.ts";

/** @throws FileFormatError for a value in `column` that is not a text, saying what it is */
export function requireText(value: unknown, where: string, column: string): string {
  if (typeof value === "string") return value;
  const found = named(value);
  throw new FileFormatError(`${where} has ${found} under "${column}", not a text.`, { asked: column, found });
}

function named(value: unknown): string {
  if (value === null || value === undefined) return "null";
  if (Array.isArray(value)) return "a list";
  const kind = typeof value;
  return `${/^[aeiou]/.test(kind) ? "an" : "a"} ${kind}`;
}

/**
 * The texts, from a single one or a list.
 * @throws InputError for anything but a string or an iterable of strings
 */
export function* textsIn(texts: string | Iterable<string>, of: string): Generator<string> {
  if (typeof texts === "string") return yield texts;
  const many: unknown = texts;
  if (typeof many !== "object" || many === null || !(Symbol.iterator in many)) {
    throw new InputError(`${of} takes a text, or a list of texts, not ${shown(texts)}.`, { asked: texts });
  }
  for (const text of texts as Iterable<unknown>) {
    if (typeof text !== "string")
      throw new InputError(`${of} takes texts, but one of them is ${shown(text)}.`, { asked: text });
    yield text;
  }
}
