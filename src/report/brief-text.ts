/** A finding in few lines, for a terminal: question, answer, the next results, one table, and what was left out. */
import { rowCount, type Table } from "../finding/table.ts";
import { counted, listed } from "../tensor/words.ts";
import { comparisonOf } from "./baseline-text.ts";
import type { Ink } from "./ink.ts";
import { chapters, reading } from "./parts.ts";
import { pictureTable } from "./picture-table.ts";
import { pictureText } from "./picture-text.ts";
import { textTable } from "./text-table.ts";
import type { DrawnFinding } from "./views/picture-of.ts";
import { wrapText } from "./wrap-text.ts";

/** How a finding is cut to fit. */
export interface Brief {
  readonly width: number;
  readonly ink: Ink;
  /** Most lines. The question, the answer and three rows of a table are always there. */
  readonly lines: number;
  /** How to see the rest: "--full prints them". */
  readonly hint: string;
}

/** Results after the answer. */
const MOST_BULLETS = 3;
const LEAST_ROWS = 3;

export function briefText(finding: DrawnFinding, { width, ink, lines, hint }: Brief): string {
  const [answer, ...results] = finding.summary;
  const compared = comparisonOf(answer, finding);
  const head = [
    ...wrapText(finding.question, width).map(ink.bold),
    "",
    ...wrapText(answer.text, width),
    ...(compared ? wrapText(compared, width, "  ").map(ink.faint) : []),
  ];
  const table = firstTable(finding);
  const least = table ? LEAST_ROWS + NOTES + textTable(table, { width, maxRows: 0, ink }).length : 0;
  const { answer: spec } = reading(finding);
  const free = Math.min(PICTURE_LINES, lines - head.length - least - AROUND - LAST);
  const picture = spec ? pictureText(spec, { width, lines: free, ink }) : [];
  if (picture.length > 0) head.push("", ...picture);
  let shown = 0;
  for (const { text } of results.slice(0, MOST_BULLETS)) {
    const bullet = wrapText(text, width, "- ");
    const gap = picture.length > 0 && shown === 0 ? 1 : 0;
    if (head.length + gap + bullet.length + least + AROUND > lines) break;
    head.push(...(gap ? [""] : []), ...bullet);
    shown++;
  }
  const last = wrapText(`${leftOut(finding, results.length - shown, table)} ${hint}`, width).map(ink.faint);
  if (!table) return `${[...head, "", ...last].join("\n")}\n`;
  const room = lines - head.length - last.length - AROUND;
  const body = fitted(table, room, { width, ink });
  return `${[...head, "", ...wrapText(table.title, width).slice(0, 1).map(ink.bold), ...body, "", ...last].join("\n")}\n`;
}

/** Most lines of a picture, and about how many say what is left out. */
const PICTURE_LINES = 6;
const LAST = 2;
/** Lines that are around a table: its title, and an empty one before and after it. */
const AROUND = 3;
/** Lines under a table that say what does not fit. */
const NOTES = 1;

/** As many rows of a table as there is room for. */
function fitted(table: Table, room: number, { width, ink }: Pick<Brief, "width" | "ink">): string[] {
  let maxRows = Math.min(rowCount(table), Math.max(room, LEAST_ROWS));
  for (;;) {
    const lines = textTable(table, { width, maxRows, ink });
    if (lines.length <= room || maxRows <= LEAST_ROWS) return lines;
    maxRows--;
  }
}

/** The table that is shown: the first to be read, or the most important numbers of the first picture that has some. */
function firstTable(finding: DrawnFinding): Table | undefined {
  const parts = chapters(finding);
  const own = parts.flatMap(({ tables }) => tables).find(({ detail }) => !detail);
  return own ?? parts.flatMap(({ pictures }) => pictures.flatMap((spec) => pictureTable(spec) ?? []))[0];
}

function leftOut(finding: DrawnFinding, results: number, shown: Table | undefined): string {
  const tables = finding.tables.filter((table) => table !== shown).length;
  const parts = [
    ...(results > 0 ? [counted(results, "more result")] : []),
    ...(tables > 0 ? [counted(tables, shown ? "more table" : "table")] : []),
    counted(finding.pictures.length, "picture"),
    counted(finding.baselines.length, "comparison"),
    counted(finding.caveats.length, "caveat"),
  ];
  return `Not shown: ${listed(parts, "and")}.`;
}
