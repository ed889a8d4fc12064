/** Named rows of numbers, and axes given by just a label. */
import type { Axis } from "../finding/picture.ts";
import { ArgumentError } from "../tensor/errors.ts";
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
