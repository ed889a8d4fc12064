/** A row's text, where a text is what it has. */
import { FileFormatError } from "../../tensor/errors.ts";

/** @throws FileFormatError for a value under `column` that is no text, which says what it is */
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
