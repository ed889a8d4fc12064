import { escapeMarkup } from "../escape.ts";

/** The id of something on a page, as the value of an attribute: an id has no spaces, because some attributes list several. */
export function idOf(kind: "figure" | "table" | "part" | "baseline", name: string): string {
  return escapeMarkup(`${kind}-${name.replace(/\s+/g, "-")}`);
}
