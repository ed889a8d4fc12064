import type { Finding } from "../../finding/finding.ts";
import { escapeMarkup } from "../escape.ts";
import type { Chapter } from "../parts.ts";
import { sectionsOf } from "./back-matter.ts";
import { idOf } from "./ids.ts";

/** The list of contents: the headings, and of pictures and tables those that stand under none. */
export function contents(finding: Finding, chapters: readonly Chapter[]): string {
  const results = chapters.flatMap(({ part, pictures, tables }) =>
    part
      ? [[idOf("part", part.name), part.title]]
      : [
          ...pictures.map(({ name, title }) => [idOf("figure", name), title || name]),
          ...tables.map(({ name, title }) => [idOf("table", name), title]),
        ],
  );
  const sections = sectionsOf(finding).map(({ id, title }) => [id, title]);
  const list = (entries: readonly string[][]) =>
    entries.map(([id, title]) => `<a href="#${id}">${escapeMarkup(title)}</a>`).join("");
  return `<nav class="contents" aria-label="Contents">${list(results)}${list(sections)}</nav>`;
}
