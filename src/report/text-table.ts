import { type Column, rowCount, type Scalar, type Table } from "../finding/table.ts";
import { visibleControls } from "../tensor/visible.ts";
import { counted } from "../tensor/words.ts";
import { formatColumn, isNumeric } from "./format.ts";
import type { Ink } from "./ink.ts";
import { columnsToRead } from "./parts.ts";
import { cutText, textWidth } from "./token-text.ts";
import { wrapText } from "./wrap-text.ts";

interface TextColumn {
  readonly column: Column;
  readonly heading: readonly string[];
  readonly cells: readonly string[];
  readonly numeric: boolean;
  readonly width: number;
}

const GAP = 2;
const NARROWEST = 8;

/**
 * A table in columns of characters: numbers aligned to the right, long texts cut with "…". If it is still too wide, the last
 * columns are left out, and a line says which ones.
 */
export function textTable(table: Table, options: { width: number; maxRows: number; ink: Ink }): string[] {
  const shown = Math.min(rowCount(table), options.maxRows);
  const toRead = columnsToRead(table);
  const wanted = toRead.map((column) => layOut(column, column.values.slice(0, shown)));
  const columns = fitColumns(wanted, options.width);

  const height = Math.max(...columns.map((column) => column.heading.length));
  const line = (cell: (column: TextColumn) => string) =>
    columns
      .map((column) => pad(cell(column), column))
      .join(" ".repeat(GAP))
      .trimEnd();
  const heading = Array.from({ length: height }, (_, i) =>
    line((column) => column.heading[i - (height - column.heading.length)] ?? ""),
  );
  const rule = columns.map((column) => "─".repeat(column.width)).join(" ".repeat(GAP));
  const body = Array.from({ length: shown }, (_, r) => line((column) => column.cells[r]));

  const notes: string[] = [];
  const hidden = rowCount(table) - shown;
  if (hidden > 0) notes.push(`… and ${counted(hidden, "more row")}`);
  const left = toRead.slice(columns.length).map((column) => column.title);
  if (left.length > 0) notes.push(`… and columns that do not fit: ${left.join(", ")}`);
  return [
    ...heading.map(options.ink.faint),
    options.ink.faint(rule),
    ...body,
    ...notes.flatMap((note) => wrapText(note, options.width)).map(options.ink.faint),
  ];
}

function layOut(column: Column, values: readonly Scalar[]): TextColumn {
  const cells = formatColumn(column, values).map(inOneLine);
  const widest = cells.reduce((most, cell) => Math.max(most, textWidth(cell)), 1);
  const heading = headingLines(column, widest);
  const width = Math.max(widest, ...heading.map(textWidth));
  return { column, heading, cells, numeric: isNumeric(column, values), width };
}

function inOneLine(text: string): string {
  return visibleControls(text).replaceAll("\n", "⏎").replaceAll("\t", "⇥");
}

/** The title in lines about as wide as the cells, with the unit on a separate line. */
function headingLines(column: Column, widest: number): string[] {
  const words = visibleControls(column.title).split(/\s+/);
  const most = Math.max(widest, ...words.map(textWidth));
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last !== undefined && textWidth(last) + 1 + textWidth(word) <= most)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return column.unit ? [...lines, `(${visibleControls(column.unit)})`] : lines;
}

/** Narrows the texts, the widest first, then drops columns from the right until the rest fit. */
function fitColumns(wanted: readonly TextColumn[], width: number): TextColumn[] {
  for (let count = wanted.length; count > 0; count--) {
    const columns = wanted.slice(0, count);
    let over = columns.reduce((sum, column) => sum + column.width + GAP, -GAP) - width;
    while (over > 0) {
      const texts = columns.filter((column) => !column.numeric && column.width > NARROWEST);
      if (texts.length === 0) break;
      const widest = texts.reduce((a, b) => (b.width > a.width ? b : a));
      columns[columns.indexOf(widest)] = { ...widest, width: widest.width - 1 };
      over--;
    }
    if (over <= 0 || count === 1) return columns;
  }
  return [];
}

function pad(cell: string, { width, numeric }: TextColumn): string {
  const shown = cutText(cell, width);
  const space = " ".repeat(Math.max(0, width - textWidth(shown)));
  return numeric ? space + shown : shown + space;
}
