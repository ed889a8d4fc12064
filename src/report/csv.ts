import type { Finding } from "../finding/finding.ts";
import { rowCount, type Scalar, type Table } from "../finding/table.ts";
import { ArgumentError, UnknownNameError } from "../tensor/errors.ts";
import { visibleControls } from "../tensor/visible.ts";
import { mainTable } from "./parts.ts";

export interface CsvOptions {
  /** The name of the table. Default: the one that is read first. */
  readonly table?: string | undefined;
}

/**
 * A table as CSV according to RFC 4180: commas, CRLF, doubled quotes, a header line with the names of its columns. Numbers keep every
 * digit, `null` is an empty field. A text that a spreadsheet
 * would run as a formula (it begins with = + - @, a tab or a line break) gets an apostrophe in front, and characters that control a terminal become
 * marks, as in the text form. JSON has every text unchanged.
 *
 * @throws UnknownNameError if there is no such table, ArgumentError if the finding has no table.
 */
export function renderCsv(finding: Finding, options: CsvOptions = {}): string {
  const table = options.table === undefined ? mainTable(finding) : tableCalled(finding, options.table);
  if (!table) {
    throw new ArgumentError("The finding has no table, so there is no CSV of it: its numbers are in the JSON form.", {
      asked: "csv",
    });
  }
  const { columns } = table;
  const rows = Array.from({ length: rowCount(table) }, (_, row) => columns.map(({ values }) => values[row]));
  return csvOf([columns.map(({ name }) => name), ...rows]);
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

/** Rows as CSV, the first of them its header. */
export function csvOf(rows: readonly (readonly Scalar[])[]): string {
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
