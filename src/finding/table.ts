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
export interface Column<Name extends string = string> {
  /** For programs: the CSV's header. Unique in its table. */
  readonly name: Name;
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

/** What `column` and `as` take besides a name and a description: `digits: 2` is `format: { digits: 2 }`. */
export interface ColumnChanges extends Partial<Omit<Column, "name">> {
  readonly digits?: number;
}

/**
 * A column by its name and what it says; its heading is the name, unless `title` is given: `column("log_prob", "…", { unit: "nats", digits: 3 })`
 * is headed "log prob".
 */
export function column<const Name extends string>(
  name: Name,
  description: string,
  changes: ColumnChanges = {},
): Column<Name> {
  checkArgument("The name of a column", name, TEXT);
  checkArgument("The description of a column", description, TEXT);
  checkArgument("What else is said of a column", changes, OBJECT);
  return { name, title: name.replaceAll("_", " "), ...changed(changes), description };
}

/** The same column, with another description, heading, unit or format; also under another name, then of other rows' field. */
export function as<Name extends string>(column: Column<Name>, changes: string | ColumnChanges): Column<Name>;
export function as<const Name extends string>(column: Column, changes: ColumnChanges & { name: Name }): Column<Name>;
export function as(column: Column, changes: string | (ColumnChanges & { name?: string })): Column {
  return { ...column, ...(typeof changes === "string" ? { description: changes } : changed(changes)) };
}

function changed({ digits, ...rest }: ColumnChanges): Partial<Omit<Column, "name">> {
  return digits === undefined ? rest : { ...rest, format: { digits } };
}

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

/** The fields of a row that a cell can hold. */
type FieldsOf<R> = { [Name in keyof R & string]: R[Name] extends Scalar ? Name : never }[keyof R & string];

/** A column, and how its value comes from a row: by a function, or as the row's field of that name. A column alone takes the field that is called as it is. */
export type Cell<R> =
  | Column<FieldsOf<R>>
  | readonly [column: Column, value: FieldsOf<R> | ((row: R, index: number) => Scalar)];

const CELL: Kind = {
  accepts: (value) =>
    Array.isArray(value)
      ? OBJECT.accepts(value[0]) && (typeof value[1] === "function" || typeof value[1] === "string")
      : OBJECT.accepts(value) && "name" in (value as object),
  describe: "a column, or a pair of a column and a field's name or a function from a row to its value",
};

/**
 * A table of rows: each column with the function, or the row's field, that gives its cells.
 * @throws ArgumentError for columns without one, or whose rows have no such field
 */
export function tableOf<R>(about: AboutTable, rows: readonly R[], cells: readonly Cell<NoInfer<R>>[]): Table {
  checkArgument("What a table is called", about, OBJECT);
  checkArgument("The rows of a table", rows, listOf(ANYTHING, "rows"));
  checkArgument(
    "The columns of a table",
    cells,
    listOf(CELL, "columns, or pairs of a column and where its cells come from"),
  );
  const filled = cells.map((cell): FilledColumn => {
    const [column, value] = "name" in cell ? [cell, cell.name] : cell;
    return { ...column, values: typeof value === "function" ? rows.map(value) : rows.map(fieldOf(value, about)) };
  });
  return { ...about, columns: filled };
}

/** @throws UnknownNameError for a row without the field */
function fieldOf<R>(name: string, { name: table }: AboutTable): (row: R) => Scalar {
  return (row) => {
    const value = OBJECT.accepts(row) ? (row as Readonly<Record<string, Scalar | undefined>>)[name] : undefined;
    if (value !== undefined) return value;
    throw new UnknownNameError(
      `field of a row of table "${table}"`,
      name,
      OBJECT.accepts(row) ? Object.keys(row as object) : [],
    );
  };
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
