/** A finding as it crosses from the worker to the page: long columns as arrays of numbers, which are copied as bytes and not value by value. */
import type { Finding } from "../finding/finding.ts";
import type { FilledColumn, Scalar, Table } from "../finding/table.ts";

/** Shorter columns stay as they are. */
const LONG = 500;

/** Numbers, with the rows that have none; or each value's place in a list of different ones; or the values. */
type PackedValues =
  | { readonly numbers: Float64Array; readonly gaps: Uint32Array }
  | { readonly different: readonly Scalar[]; readonly at: Uint32Array }
  | readonly Scalar[];

type PackedTable = Omit<Table, "columns"> & {
  readonly columns: readonly (Omit<FilledColumn, "values"> & { readonly values: PackedValues })[];
};

export type PackedFinding = Omit<Finding, "tables"> & { readonly tables: readonly PackedTable[] };

export function packed(finding: Finding): PackedFinding {
  const tables = finding.tables.map((table) => ({
    ...table,
    columns: table.columns.map((column) => ({ ...column, values: packedValues(column.values) })),
  }));
  return { ...finding, tables };
}

export function unpacked(finding: PackedFinding): Finding {
  const tables = finding.tables.map((table) => ({
    ...table,
    columns: table.columns.map((column) => ({ ...column, values: unpackedValues(column.values) })),
  }));
  return { ...finding, tables };
}

function packedValues(values: readonly Scalar[]): PackedValues {
  if (values.length < LONG) return values;
  if (values.every((value) => value === null || typeof value === "number")) {
    const gaps = values.flatMap((value, i) => (value === null ? [i] : []));
    return { numbers: Float64Array.from(values, (value) => value ?? 0), gaps: Uint32Array.from(gaps) };
  }
  const places = new Map<Scalar, number>();
  const at = Uint32Array.from(values, (value) => {
    const place = places.get(value) ?? places.size;
    places.set(value, place);
    return place;
  });
  return { different: [...places.keys()], at };
}

function unpackedValues(packed: PackedValues): readonly Scalar[] {
  if ("numbers" in packed) {
    const values: Scalar[] = Array.from(packed.numbers);
    for (const gap of packed.gaps) values[gap] = null;
    return values;
  }
  if (!("different" in packed)) return packed;
  const { different } = packed;
  return Array.from(packed.at, (place) => different[place]);
}
