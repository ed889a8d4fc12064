/** A finding in few lines, for a terminal: question, answer, the next results, one table, and what was left out. */
import { rowCount, type Table } from "../finding/table.ts";
import { counted, listed } from "../tensor/words.ts";
import { comparisonOf } from "./baseline-text.ts";
import type { Ink } from "./ink.ts";
import { chapters, reading, tablesToRead } from "./parts.ts";
import { pictureTable } from "./picture-table.ts";
import { pictureText } from "./terminal/picture.ts";
import { textTable } from "./text-table.ts";
import type { DrawnFinding } from "./views/picture-of.ts";
import { wrapText } from "./wrap-text.ts";

/** How a finding is cut to fit. */
export interface Brief {
  readonly width: number;
  readonly ink: Ink;
  /** Most lines. The question, the answer, and three rows of a table or a picture that shows more are always there. */
  readonly lines: number;
  /** How to see the rest: "--full prints them". */
  readonly hint: string;
}

/** Results after the answer. */
const MOST_BULLETS = 3;
const LEAST_ROWS = 3;

export function briefText(finding: DrawnFinding, brief: Brief): string {
  const { width, ink, lines, hint } = brief;
  const [answer, ...results] = finding.summary;
  const compared = comparisonOf(answer, finding);
  const head = [
    ...wrapText(finding.question, width).map(ink.bold),
    "",
    ...wrapText(answer.text, width),
    ...(compared ? wrapText(compared, width, "  ").map(ink.faint) : []),
  ];
  const first = firstTable(finding);
  const tableLines = first ? LEAST_ROWS + textTable(first, { width, maxRows: 0, ink }).length + AROUND : 1;
  const free = lines - head.length - LAST;
  const { picture, whole } = pictureLines(finding, brief, { free, tableLines });
  const table = whole && picture.length + 1 + tableLines > free ? undefined : first;
  if (picture.length > 0) head.push("", ...picture);
  let shown = 0;
  for (const { text } of results.slice(0, MOST_BULLETS)) {
    const bullet = wrapText(text, width, "- ");
    const gap = picture.length > 0 && shown === 0 ? 1 : 0;
    if (head.length + gap + bullet.length + (table ? tableLines : 1) + LAST > lines) break;
    head.push(...(gap ? [""] : []), ...bullet);
    shown++;
  }
  const rest = leftOut(finding, { results: results.length - shown, table, pictures: picture.length > 0 ? 1 : 0 });
  const last = wrapText(`${rest} ${hint}`, width).map(ink.faint);
  if (!table) return `${[...head, "", ...last].join("\n")}\n`;
  const body = fitted(table, lines - head.length - last.length - AROUND, brief);
  const title = wrapText(table.title, width).slice(0, 1).map(ink.bold);
  return `${[...head, "", ...title, ...body, "", ...last].join("\n")}\n`;
}

/** The answer's picture, or the text on its colours where the terminal does not draw the answer's. */
function pictureLines(
  finding: DrawnFinding,
  { width, ink }: Brief,
  { free, tableLines }: { readonly free: number; readonly tableLines: number },
): { readonly picture: readonly string[]; readonly whole: boolean } {
  const { answer } = reading(finding);
  const strip = finding.pictures.find(({ kind }) => kind === "tokens");
  for (const spec of new Set([answer, strip])) {
    if (!spec) continue;
    // A lens or a pattern shows more than a table's first rows, and may have their room.
    const whole = spec.kind === "logit-lens" || spec.kind === "attention";
    const lines = whole ? Math.min(WHOLE_LINES, free - 2) : Math.min(PICTURE_LINES, free - tableLines - 1);
    const picture = pictureText(spec, { width, ink, lines });
    if (picture.length > 0) return { picture, whole };
  }
  return { picture: [], whole: false };
}

/** Most lines of a picture next to a table, and of one that may be without. */
const PICTURE_LINES = 9;
const WHOLE_LINES = 14;
/** About how many lines say what is left out. */
const LAST = 2;
/** Lines that are around a table: its title, and an empty one before and after it. */
const AROUND = 3;

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

/** What is not shown. @param shown how many results are not, the table that is, and how many pictures are */
function leftOut(
  finding: DrawnFinding,
  shown: { readonly results: number; readonly table: Table | undefined; readonly pictures: number },
): string {
  const tables = tablesToRead(finding).filter((table) => table !== shown.table).length;
  const pictures = finding.pictures.length - shown.pictures;
  const more = (count: number, what: string, some: boolean) =>
    count > 0 ? [counted(count, some ? `more ${what}` : what)] : [];
  const parts = [
    ...more(shown.results, "result", true),
    ...more(tables, "table", shown.table !== undefined),
    ...(pictures > 0 || shown.pictures === 0 ? [counted(pictures, shown.pictures ? "more picture" : "picture")] : []),
    counted(finding.baselines.length, "comparison"),
    counted(finding.caveats.length, "caveat"),
  ];
  return `Not shown: ${listed(parts, "and")}.`;
}
