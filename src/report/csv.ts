import type { Column, Finding, Scalar, Table } from "../analyses/finding.ts";
import { UnknownNameError } from "../tensor/errors.ts";

export interface CsvOptions {
  /** The name of one table; without it, all of them. */
  readonly table?: string;
}

/**
 * Tables as CSV by RFC 4180: comma, CRLF, quotes doubled, a header line. Numbers keep every digit, `null` is an empty
 * field. One table gives its columns' names as header. Several give one CSV with a first column `table` and every
 * column name that occurs in any of them, empty where a table lacks it. Cells are written as they are: one that begins
 * with "=" stays so, and is the spreadsheet's to treat as text.
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
  const text = value === null ? "" : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
