import type { Finding } from "../finding/finding.ts";
import { rowCount, type Scalar, type Table } from "../finding/table.ts";
import { UnknownNameError } from "../tensor/errors.ts";
import { visibleControls } from "../tensor/visible.ts";

export interface CsvOptions {
  /** The name of one table. Default: all of them. */
  readonly table?: string | undefined;
}

/**
 * Tables as CSV according to RFC 4180: commas, CRLF, doubled quotes, a header line. Numbers keep every digit, `null` is an empty
 * field. For one table, the header has the names of its columns. Several tables give one CSV with a first column `table` and every
 * column name that occurs in any of them, empty where a table lacks it. A text that a spreadsheet
 * would run as a formula (it begins with = + - @, a tab or a line break) gets an apostrophe in front, and characters that control a terminal become
 * marks, as in the text form. JSON has every text unchanged.
 *
 * @throws UnknownNameError if there is no such table.
 */
export function renderCsv(finding: Finding, options: CsvOptions = {}): string {
  const tables = options.table === undefined ? finding.tables : [tableCalled(finding, options.table)];
  if (tables.length === 1) {
    const [{ columns }] = tables;
    return csv([columns.map((column) => column.name), ...cellsOf(tables[0])]);
  }
  const names = [...new Set(tables.flatMap((table) => table.columns.map((column) => column.name)))];
  const rows = tables.flatMap((table) => cellsOf(table, names).map((row) => [table.name, ...row]));
  return csv([["table", ...names], ...rows]);
}

function tableCalled(finding: Finding, name: string): Table {
  const table = finding.tables.find((candidate) => candidate.name === name);
  if (!table)
    throw new UnknownNameError(
      "table",
      name,
      finding.tables.map((candidate) => candidate.name),
    );
  return table;
}

/** A table's cells row by row, in the order of these columns; `null` where the table lacks one. */
function cellsOf(table: Table, names = table.columns.map((column) => column.name)): Scalar[][] {
  const columns = names.map((name) => table.columns.find((column) => column.name === name)?.values);
  return Array.from({ length: rowCount(table) }, (_, row) => columns.map((values) => values?.[row] ?? null));
}

function csv(rows: readonly (readonly Scalar[])[]): string {
  return rows.map((row) => `${row.map(field).join(",")}\r\n`).join("");
}

function field(value: Scalar): string {
  const text = typeof value === "string" ? safe(value) : value === null ? "" : String(value);
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** These signs, including the full-width forms that spreadsheets treat the same. */
function safe(text: string): string {
  return visibleControls(text).replace(/^[=+\-@\t\n＝＋－＠]/, "'$&");
}
