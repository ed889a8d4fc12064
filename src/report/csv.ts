import type { Column, Finding, Scalar, Table } from "../analyses/finding.ts";
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
    const [{ columns, rows }] = tables;
    return csv([columns.map((column) => column.name), ...rows]);
  }
  const names = [...new Set(tables.flatMap((table) => table.columns.map((column) => column.name)))];
  const rows = tables.flatMap((table) => table.rows.map((row) => [table.name, ...spread(names, table.columns, row)]));
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

function spread(names: readonly string[], columns: readonly Column[], row: readonly Scalar[]): Scalar[] {
  return names.map((name) => row[columns.findIndex((column) => column.name === name)] ?? null);
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
