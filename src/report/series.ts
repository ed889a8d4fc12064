/** Named rows of numbers, and axes given by just a label. */
import type { Axis } from "../finding/picture.ts";
import { ArgumentError, ShapeError, UnknownNameError } from "../tensor/errors.ts";
import { shown } from "../tensor/show.ts";
import { toVector, type Vector } from "./numbers.ts";

/** One row of numbers, or several named ones. */
export type Series = Vector | Readonly<Record<string, Vector>>;

/** The rows with their names; a single row is named "". */
export function toSeries(values: Series): [string, (number | null)[]][] {
  if (typeof values !== "object" || values === null) {
    throw new ArgumentError(`Expected a row of numbers, or an object of named rows, not ${shown(values)}.`, {
      asked: values,
    });
  }
  if (isVector(values)) return [["", toVector(values)]];
  return Object.entries(values).map(([name, row]) => [name, toVector(row)]);
}

function isVector(values: Series): values is Vector {
  return Array.isArray(values) || ArrayBuffer.isView(values) || "shape" in values;
}

export function toAxis(axis: string | Axis | undefined): Axis | undefined {
  return typeof axis === "string" ? { label: axis } : axis;
}

/** The interval of a row by its name; without intervals, nothing. @throws ShapeError, ArgumentError or UnknownNameError for intervals that are not of these rows */
export function intervalsOf(
  rows: readonly (readonly [string, readonly unknown[]])[],
  { low, high }: { readonly low?: Series | undefined; readonly high?: Series | undefined },
): (name: string) => { low?: (number | null)[]; high?: (number | null)[] } {
  if (low === undefined && high === undefined) return () => ({});
  if (low === undefined || high === undefined) {
    throw new ArgumentError(`An interval has two ends, but only "${low ? "low" : "high"}" is there: add the other.`, {
      asked: low ? "low" : "high",
    });
  }
  const names = rows.map(([name]) => name);
  const [lows, highs] = [low, high].map((end) => new Map(toSeries(end)));
  for (const [which, ends] of [["low", lows] as const, ["high", highs] as const]) {
    for (const [name, values] of ends) {
      const row = rows.find(([other]) => other === name)?.[1];
      if (!row) throw new UnknownNameError("row with an interval", name, names);
      if (row.length !== values.length) {
        throw new ShapeError(`There are ${row.length} numbers, but "${which}" has ${values.length}.`, {
          asked: values.length,
          found: row.length,
        });
      }
    }
  }
  return (name) => {
    const ends = { low: lows.get(name), high: highs.get(name) };
    return ends.low && ends.high ? { low: ends.low, high: ends.high } : {};
  };
}
