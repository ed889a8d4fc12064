/** Several rows of numbers by name, and axes given as a mere label. */
import type { Axis } from "../analyses/picture.ts";
import { ArgumentError } from "../tensor/errors.ts";
import { shown } from "../tensor/show.ts";
import { toVector, type Vector } from "./numbers.ts";

/** One row of numbers, or several by name. */
export type Series = Vector | Readonly<Record<string, Vector>>;

/** The rows with their names; a single row has the name "". */
export function toSeries(values: Series): [string, (number | null)[]][] {
  if (typeof values !== "object" || values === null) {
    throw new ArgumentError(`A row of numbers, or several by name, was asked for, but this is ${shown(values)}.`, {
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
