import { FileFormatError } from "../tensor/errors.ts";
import { shown } from "../tensor/show.ts";
import { isFields } from "./component.ts";

/**
 * The templates in a tokenizer's files, by name: `chat_template` of the `tokenizer_config.json` (a text, or a list with names), unless files of
 * their own have any.
 * @param files by name: `chat_template.jinja` is "default"
 * @throws FileFormatError if `chat_template` is something else
 */
export function chatTemplatesOf(
  tokenizerConfig: unknown,
  files: ReadonlyMap<string, string> = new Map(),
): ReadonlyMap<string, string> {
  if (files.size > 0) return files;
  const value = isFields(tokenizerConfig) ? (tokenizerConfig.chat_template ?? undefined) : undefined;
  if (value === undefined) return new Map();
  if (typeof value === "string") return new Map([["default", value]]);
  const entries = Array.isArray(value)
    ? value.map((entry) => (isFields(entry) ? [entry.name, entry.template] : []))
    : isFields(value)
      ? Object.entries(value)
      : [[]];
  for (const [name, template] of entries) {
    if (typeof name === "string" && typeof template === "string") continue;
    throw new FileFormatError(
      `"chat_template" of a tokenizer_config.json must be a text, or a list of objects with a name and a template, not ${shown(value, 60)}.`,
      { asked: "chat_template", found: value },
    );
  }
  return new Map(entries as [string, string][]);
}
