/** The rows of a table that a view draws: their values, their hover texts, and where they are. */
import type { Axis } from "../../finding/picture.ts";
import type { FilledColumn, Scalar, Table } from "../../finding/table.ts";
import { rowCount } from "../../finding/table.ts";
import type { Where } from "../../finding/view.ts";
import { formatColumn } from "../format.ts";
import { visibleToken } from "../token-text.ts";

/** Some rows of a table. */
export class ViewRows {
  readonly #table: Table;
  readonly #texts = new Map<FilledColumn, readonly string[]>();
  /** The rows' indices in the table. */
  readonly rows: readonly number[];

  constructor(table: Table, rows: readonly number[]) {
    this.#table = table;
    this.rows = rows;
  }

  /** All rows of a table. */
  static of(table: Table): ViewRows {
    return new ViewRows(
      table,
      Array.from({ length: rowCount(table) }, (_, row) => row),
    );
  }

  /** Those of the rows whose columns hold these values. */
  where(where: Where = {}): ViewRows {
    const tests = Object.entries(where).map(([name, wanted]) => {
      const { values } = this.column(name);
      const any = new Set<Scalar>(Array.isArray(wanted) ? wanted : [wanted as Scalar]);
      return (row: number) => any.has(values[row]);
    });
    return new ViewRows(
      this.#table,
      tests.length === 0 ? this.rows : this.rows.filter((row) => tests.every((test) => test(row))),
    );
  }

  /** The first of too many rows, or some of them at even distances. */
  atMost(most: number, thin: "first" | "evenly" = "first"): ViewRows {
    const count = this.rows.length;
    if (count <= most) return this;
    const kept =
      thin === "first"
        ? this.rows.slice(0, most)
        : Array.from({ length: most }, (_, i) => this.rows[Math.floor((i * count) / most)]);
    return new ViewRows(this.#table, kept);
  }

  /** The rows of each value of a column, in the order of its first rows. */
  groupedBy(name: string): Map<Scalar, ViewRows> {
    const { values } = this.column(name);
    const groups = new Map<Scalar, number[]>();
    for (const row of this.rows) {
      const group = groups.get(values[row]);
      if (group) group.push(row);
      else groups.set(values[row], [row]);
    }
    return new Map([...groups].map(([value, rows]) => [value, new ViewRows(this.#table, rows)]));
  }

  column(name: string): FilledColumn {
    return this.#table.columns.find((column) => column.name === name)!;
  }

  /** A column's values in these rows. */
  values(name: string): Scalar[] {
    const { values } = this.column(name);
    return this.rows.map((row) => values[row]);
  }

  /** A column's numbers as they are drawn: a share in percent; anything else than a number is a gap. */
  numbers(name: string): (number | null)[] {
    const { values, format } = this.column(name);
    const factor = format === "percent" ? 100 : 1;
    return this.rows.map((row) => {
      const value = values[row];
      return typeof value === "number" ? factor * value : null;
    });
  }

  /** What an axis of these columns is called, unless it is said. */
  axis<A extends Pick<Axis, "label" | "unit">>(columns: readonly string[], given: A): A {
    const { title, format, unit = format === "percent" ? "%" : undefined } = this.column(columns[0]);
    return { label: title, ...(unit ? { unit } : {}), ...given };
  }

  /** What stands in a column of each row, for people. */
  texts(name: string): string[] {
    const written = this.#written(this.column(name));
    return this.rows.map((row) => written[row]);
  }

  /** Where each row is, as words that several tables and pictures share: `layer=0 head=3`. */
  places(): string[] {
    const where = this.#table.columns.filter(({ axis }) => axis !== undefined);
    return this.rows.map((row) => placeOf(where, row));
  }

  /** A hover text for each row: where it is and what stands there, then the numbers of `drawn` columns. */
  tips(drawn: readonly string[]): string[] {
    const identity = this.#table.columns.filter(({ axis, format }) => axis !== undefined || format === "token");
    const numbers = drawn.map((name) => this.column(name)).filter((column) => !identity.includes(column));
    return this.rows.map((row) =>
      [identity, numbers]
        .map((columns) => columns.flatMap((column) => this.#said(column, row)).join(", "))
        .filter(Boolean)
        .join("\n"),
    );
  }

  /** A column's title, value and unit, if it has a value there. */
  #said(column: FilledColumn, row: number): string[] {
    const { title, name, unit, values, format } = column;
    const value = values[row];
    if (value === null) return [];
    const written = format === "token" ? `“${visibleToken(String(value))}”` : this.#written(column)[row];
    return [`${title || name} ${written}${unit ? ` ${unit}` : ""}`];
  }

  #written(column: FilledColumn): readonly string[] {
    let texts = this.#texts.get(column);
    if (!texts) {
      texts = formatColumn(column, column.values);
      this.#texts.set(column, texts);
    }
    return texts;
  }
}

/** The axes along which columns say where a row is, and its index there, without spaces or quotes. */
export function placeOf(columns: readonly FilledColumn[], row: number): string {
  return columns
    .flatMap(({ axis, values }) =>
      values[row] === null ? [] : [`${axis}=${String(values[row]).replace(/[\s"\\]/g, "_")}`],
    )
    .join(" ");
}
