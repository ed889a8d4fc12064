/** What every measure gives: labelled rows, one for each number or place that was measured. */
import { showAs } from "../tensor/display.ts";
import { ArgumentError, UnknownNameError } from "../tensor/errors.ts";
import { COUNT, FLAG, FUNCTION, type Kind, listOf, NOT_NEGATIVE_WHOLE, OBJECT } from "../tensor/kinds.ts";
import { checkArgument, checkOptions } from "../tensor/options.ts";
import { shown } from "../tensor/show.ts";
import { markUnseen } from "../tensor/visible.ts";
import { counted, listed, quoted } from "../tensor/words.ts";
import { largestIndices } from "./top-tokens.ts";

/** Rows that are made when they are asked for: of millions, few ever are. */
export interface RowSource<Row> {
  readonly length: number;
  readonly columns: readonly string[];
  readonly row: (i: number) => Row;
}

/** Options of `top`. */
export interface TopOptions {
  /** The smallest first, instead of the largest. */
  readonly smallest?: boolean | undefined;
}

/**
 * The rows of a measurement, each a plain object whose keys are the names of axes and columns: `{ layer: 0, head: 3, effect: 0.12 }`.
 * A loop, Observable Plot or Arquero takes them as they are. What belongs to the whole (the unchanged run's number, tensors
 * with named axes) stands next to them, as further fields of the measurement.
 */
export class Measured<Row extends object> implements Iterable<Row> {
  readonly #source: RowSource<Row>;
  #rows: readonly Row[] | undefined;

  /** @throws ArgumentError for anything but a list of objects, or what makes them */
  constructor(rows: readonly Row[] | RowSource<Row>) {
    if (!Array.isArray(rows)) {
      this.#source = rows as RowSource<Row>;
      checkArgument("The rows of a measurement", rows, SOURCE);
      return;
    }
    checkArgument("The rows of a measurement", Array.from(rows), listOf(OBJECT, "objects"));
    this.#source = sourceOf(rows);
    this.#rows = rows;
  }

  /** Rows, and what belongs to the whole, as one measurement. */
  static of<Row extends object, About extends object>(
    rows: readonly Row[] | RowSource<Row>,
    about: About,
  ): Measured<Row> & About {
    return Object.assign(new Measured(rows), about);
  }

  /** How many rows there are. */
  get length(): number {
    return this.#source.length;
  }

  /** All rows, as a list. */
  get rows(): readonly Row[] {
    this.#rows ??= Array.from({ length: this.length }, (_, i) => this.#source.row(i));
    return this.#rows;
  }

  /** The names of the columns: all fields that a row has. */
  get columns(): readonly string[] {
    return this.#source.columns;
  }

  /** The rows, one by one. */
  *[Symbol.iterator](): Iterator<Row> {
    for (let i = 0; i < this.length; i++) yield this.#source.row(i);
  }

  /**
   * The row at a place: `effects.at({ layer: 0, head: 3 })`.
   * @throws UnknownNameError for a column that does not exist; ArgumentError for a place without a row, or with several
   */
  at(place: Partial<Row>): Row {
    const asked = this.#asked(place);
    const found = this.#found(asked);
    if (found.length === 1 && asked.length > 0) return found[0];
    if (found.length === 0) throw this.#missing(asked);
    const [row] = found;
    const more = this.columns.filter((name) => found.some((other) => cellOf(other, name) !== cellOf(row, name)));
    const how = asked.length > 0 ? `have ${placeText(asked)}` : "are there";
    throw new ArgumentError(
      `${counted(found.length, "row")} ${how}: say also ${listed(more.slice(0, 3), "or")}, or take all of them with where.`,
      { asked: place, found: more },
    );
  }

  /**
   * The rows with these values: `effects.where({ layer: 0 })`; none is an empty result.
   * @throws UnknownNameError for a column that does not exist
   */
  where(place: Partial<Row>): Measured<Row> {
    return new Measured(this.#found(this.#asked(place)));
  }

  /**
   * The rows with the largest numbers, the largest first: `effects.top(10, "effect")`, or by size `effects.top(10, (row) => Math.abs(row.effect))`.
   * Rows without a number (null, NaN) are left out.
   * @param by a column of numbers, or a function of a row
   * @throws UnknownNameError for a column that does not exist; ArgumentError for a column without numbers
   */
  top(count: number, by: (keyof Row & string) | ((row: Row) => number), options: TopOptions = {}): Measured<Row> {
    checkArgument("The number of rows of top", count, COUNT);
    checkOptions("top", options, { smallest: FLAG });
    const sign = options.smallest ? -1 : 1;
    const number = typeof by === "function" ? by : this.#column(by);
    const numbers = new Float64Array(this.length);
    for (let i = 0; i < numbers.length; i++) {
      const value: unknown = number(this.#source.row(i));
      numbers[i] = typeof value === "number" && !Number.isNaN(value) ? sign * value : Number.NEGATIVE_INFINITY;
    }
    const best = largestIndices(numbers, Math.min(count, numbers.length));
    return new Measured(best.filter((i) => numbers[i] > Number.NEGATIVE_INFINITY).map((i) => this.#source.row(i)));
  }

  /** What JSON gets: the rows, and what belongs to the whole. */
  toJSON(): object {
    return { ...this, rows: this.rows };
  }

  #column(name: unknown): (row: Row) => unknown {
    const { columns } = this;
    if (typeof name !== "string") {
      throw new ArgumentError(`top takes the name of a column, or a function of a row, not ${shown(name)}.`, {
        asked: name,
      });
    }
    if (this.length > 0 && !columns.includes(name)) throw new UnknownNameError("column", name, columns);
    return (row) => {
      const value = cellOf(row, name);
      if (typeof value !== "string" && !(typeof value === "object" && value !== null)) return value;
      const numeric = columns.filter((other) => typeof cellOf(row, other) === "number");
      throw new ArgumentError(
        `The column ${name} holds ${typeof value === "string" ? "texts" : "lists"}, of which none is the largest: choose ${listed(numeric, "or")}.`,
        { asked: name, found: numeric },
      );
    };
  }

  /** A place's columns and values. */
  #asked(place: Partial<Row>): Place {
    checkArgument("A place", place, OBJECT);
    const asked = fieldsOf(place).filter(([, value]) => value !== undefined);
    for (const [name] of asked) {
      if (this.length > 0 && !this.columns.includes(name)) throw new UnknownNameError("column", name, this.columns);
    }
    return asked;
  }

  #found(asked: Place): Row[] {
    const found: Row[] = [];
    for (const row of this) if (asked.every(([name, value]) => cellOf(row, name) === value)) found.push(row);
    return found;
  }

  /** Says which of a place's values no row has, and which there are. */
  #missing(asked: Place): ArgumentError {
    const has = (count: number) => this.#found(asked.slice(0, count)).length > 0;
    const first = asked.findIndex((_, i) => has(i) && !has(i + 1));
    if (first < 0) return new ArgumentError("There are no rows: nothing was measured.", { asked });
    const [name, value] = asked[first];
    const before = asked.slice(0, first);
    const there = [...new Set(this.#found(before).map((row) => cellOf(row, name)))];
    const where = before.length > 0 ? ` with ${placeText(before)}` : "";
    return new ArgumentError(`There is no row with ${name} ${text(value)}: ${name}${where} is ${valuesText(there)}.`, {
      asked: value,
      found: there,
    });
  }
}

/** Columns and their values. */
type Place = readonly (readonly [name: string, value: unknown])[];

/** @throws ArgumentError for an object whose fields throw */
function fieldsOf(place: object): Place {
  try {
    return Object.entries(place);
  } catch (cause) {
    throw new ArgumentError("The place cannot be read: one of its fields throws when it is asked for.", { cause });
  }
}

const SOURCE: Kind = {
  accepts: (v) => {
    if (!OBJECT.accepts(v)) return false;
    const { length, columns, row } = v as Partial<RowSource<object>>;
    return NOT_NEGATIVE_WHOLE.accepts(length) && Array.isArray(columns) && FUNCTION.accepts(row);
  },
  describe: "a list of objects, or { length, columns, row }",
};

function sourceOf<Row extends object>(rows: readonly Row[]): RowSource<Row> {
  let columns: readonly string[] | undefined;
  return {
    length: rows.length,
    row: (i) => rows[i],
    get columns() {
      columns ??= [...new Set(rows.flatMap((row) => Object.keys(row)))];
      return columns;
    },
  };
}

function cellOf(row: object, name: string): unknown {
  return (row as Readonly<Record<string, unknown>>)[name];
}

function text(value: unknown): string {
  return typeof value === "string" ? quoted(value) : shown(value);
}

function placeText(place: Place): string {
  return listed(place.map(([name, value]) => `${name} ${text(value)}`));
}

/** The values that a column has, in words. */
function valuesText(values: readonly unknown[]): string {
  const numbers = values.filter((value) => typeof value === "number");
  const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
  if (numbers.length === values.length && numbers.length > 2 && high - low === numbers.length - 1)
    return `${low} to ${high}`;
  const some = values.slice(0, 8).map(text);
  return values.length > 8 ? `${some.join(", ")} and others` : listed(some, "or");
}

/** How many rows a console shows, how wide they may be, and how wide a cell. */
const SHOWN_ROWS = 8;
const WIDTH = 80;
const CELL_WIDTH = 24;

showAs(Measured.prototype as Measured<object>, (measured, nested) => {
  const { columns, length } = measured;
  const size = counted(length, "row");
  if (nested || length === 0) return `Measured(${[size, ...columns].join(", ")})`;
  const first: object[] = [];
  for (const row of measured) if (first.push(row) === SHOWN_ROWS) break;
  const cells = columns.map((name) => [name, ...first.map((row) => cellText(cellOf(row, name)))]);
  const blocks = cells.map((texts, c) => {
    const isNumeric = first.every((row) => ["number", "object"].includes(typeof cellOf(row, columns[c])));
    const width = Math.max(...texts.map((text) => text.length));
    return texts.map((text) => (isNumeric ? text.padStart(width) : text.padEnd(width)));
  });
  const fits = (count: number) => blocks.slice(0, count).reduce((sum, [{ length }]) => sum + length + 2, -2) <= WIDTH;
  const shownColumns = columns.filter((_, c) => c === 0 || fits(c + 1)).length;
  const lines = [0, ...first.map((_, i) => i + 1)].map((line) =>
    blocks
      .slice(0, shownColumns)
      .map((texts) => texts[line])
      .join("  ")
      .trimEnd(),
  );
  const left = columns.slice(shownColumns);
  return [
    `${size}${aboutText(measured)}`,
    ...lines,
    ...(length > first.length ? [`… ${counted(length - first.length, "more row")}`] : []),
    ...(left.length > 0 ? [`… and ${listed(left)}`] : []),
  ].join("\n");
});

/** The numbers and texts that stand next to the rows. */
function aboutText(measured: object): string {
  const short = Object.entries(measured).filter(([, value]) => ["number", "string", "boolean"].includes(typeof value));
  return short.length === 0 ? "" : `; ${short.map(([name, value]) => `${name} ${cellText(value)}`).join(", ")}`;
}

function cellText(value: unknown): string {
  if (value === null || value === undefined) return "–";
  if (typeof value === "number") return Number.isInteger(value) ? `${value}` : `${Number(value.toPrecision(4))}`;
  const whole = typeof value === "string" ? markUnseen(value) : shown(value, CELL_WIDTH);
  return whole.length > CELL_WIDTH ? `${whole.slice(0, CELL_WIDTH - 1)}…` : whole;
}
