/**
 * Tables: columns of values, each of which says what it is. They are made from rows that know what they hold, with one function
 * for each column's cells, so that a cell cannot stand in another column.
 */
import { UnknownNameError } from "../tensor/errors.ts";
import { ANYTHING, type Kind, listOf, OBJECT, TEXT } from "../tensor/kinds.ts";
import { checkArgument } from "../tensor/options.ts";

/** A cell of a table or the value of a setting. `null` means "does not exist"; a number is always finite. */
export type Scalar = string | number | boolean | null;

/** What the values of a column are. */
export interface Column {
  /** For programs: the CSV's header. Unique in its table. */
  readonly name: string;
  /** For people: the heading. */
  readonly title: string;
  readonly unit?: string;
  /**
   * The axis along which it says where a row is, in the axis vocabulary: batch pos head d_mlp layer query key d_vocab. Rows of
   * different tables and pictures with the same places are about the same thing.
   */
  readonly axis?: string;
  /** For programs and views: what people read says it in another column. */
  readonly detail?: boolean;
  readonly format?: Format;
  /** What it is, in a sentence. */
  readonly description: string;
}

/**
 * How a column is written for people (JSON and CSV keep the full number). `token` makes whitespace visible; `percent` takes a
 * share (0.25 is written 25.0 %); `p` is a p-value. Without a format, strings are text, whole numbers are integers and
 * other numbers get four significant digits at the column's median.
 */
export type Format = "text" | "token" | "integer" | "percent" | "p" | { readonly digits: number };

/** A column of a table, with its value in each row. */
export interface FilledColumn extends Column {
  readonly values: readonly Scalar[];
}

/** What a table is called, and how it is shown. */
export interface AboutTable {
  /** Unique in the finding; also a good file name. */
  readonly name: string;
  readonly title: string;
  readonly caption?: string;
  /** The `Part` of the finding that it belongs to. */
  readonly part?: string;
  /** For looking things up rather than reading: the terminal leaves it out. */
  readonly detail?: boolean;
  /** Names of baselines. */
  readonly comparedWith?: readonly string[];
}

/** A table of a finding. */
export interface Table extends AboutTable {
  readonly columns: readonly FilledColumn[];
}

/** A column, and how its value comes from a row. */
export type Cell<R> = readonly [column: Column, value: (row: R, index: number) => Scalar];

const CELL: Kind = {
  accepts: (value) => Array.isArray(value) && OBJECT.accepts(value[0]) && typeof value[1] === "function",
  describe: "a column and a function from a row to its value",
};

/**
 * A table of rows: each column with the function that gives its cells.
 * @throws ArgumentError for columns without such a function
 */
export function tableOf<R>(about: AboutTable, rows: readonly R[], cells: readonly Cell<R>[]): Table {
  checkArgument("What a table is called", about, OBJECT);
  checkArgument("The rows of a table", rows, listOf(ANYTHING, "rows"));
  checkArgument("The columns of a table", cells, listOf(CELL, "pairs of a column and a function"));
  return { ...about, columns: cells.map(([column, value]) => ({ ...column, values: rows.map(value) })) };
}

/** How many rows a table has. */
export function rowCount({ columns }: Table): number {
  return columns[0]?.values.length ?? 0;
}

/**
 * A table's rows as objects, one property a column, as Observable Plot and Arquero take them.
 * @throws UnknownNameError if there is no table of that name
 */
export function rowsOf(tables: readonly Table[], name: string): Record<string, Scalar>[] {
  checkArgument("The tables of rowsOf", tables, listOf(OBJECT, "tables"));
  checkArgument("The table of rowsOf", name, TEXT);
  const table = tables.find((one) => one.name === name);
  if (!table) {
    const names = tables.map((one) => one.name);
    throw new UnknownNameError("table", name, names);
  }
  return Array.from({ length: rowCount(table) }, (_, row) =>
    Object.fromEntries(table.columns.map((column) => [column.name, column.values[row]])),
  );
}
