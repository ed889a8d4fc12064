/** A table's rows as the cells of heatmaps. */
import type { ColorScale, FacetsSpec, ImshowSpec, IndexAxis } from "../../finding/picture.ts";
import type { Scalar } from "../../finding/table.ts";
import { type ImshowView, type IndexOf, namesIn } from "../../finding/view.ts";
import { ArgumentError } from "../../tensor/errors.ts";
import { shown } from "../../tensor/show.ts";
import { extent } from "../numbers.ts";
import { baseOf, tipColumns } from "./base.ts";
import type { ViewRows } from "./rows.ts";

/** Cells in the same place of one heatmap as of the others. */
interface Heatmap {
  readonly title: string;
  readonly values: readonly (readonly (number | null)[])[];
  readonly titles: readonly (readonly string[])[];
  readonly places: readonly (readonly string[])[];
}

export function gridOf(view: ImshowView, rows: ViewRows): ImshowSpec | FacetsSpec {
  const [x, y] = [indexOf(view.x), indexOf(view.y)];
  const [across, down] = [x.values ?? orderOf(rows, x.column), y.values ?? orderOf(rows, y.column)];
  const colors = typeof view.color === "object" && "column" in view.color ? view.color : { column: view.color };
  const shown = namesIn(colors.column);
  const facets: readonly (readonly [Scalar, ViewRows])[] = view.facet
    ? facetsOf(rows, indexOf(view.facet))
    : [["", rows]];
  const parts = shown.flatMap((column) =>
    facets.map(([value, of]) => ({
      title: titleOf(value, shown.length > 1 ? rows.column(column).title : ""),
      column,
      of,
    })),
  );
  const heatmaps = parts.map(({ title, column, of }): Heatmap => {
    const cells = cellsOf(of, view, [x.column, y.column], [across, down]);
    const numbers = of.numbers(column);
    const tips = of.tips(tipColumns(view, [column]));
    const places = of.places();
    const filled = <T>(from: readonly T[], none: T) =>
      cells.map((line) => line.map((at) => (at < 0 ? none : from[at])));
    return { title, values: filled(numbers, null), titles: filled(tips, ""), places: filled(places, "") };
  });
  const scales = {
    x: axisOf(rows, x, across),
    y: axisOf(rows, y, down),
    color: colorsOf(rows, shown, colors, heatmaps.flatMap(({ values }) => values).flat()),
  };
  const perRow = facets.length > 1 && shown.length > 1 ? { perRow: facets.length } : {};
  if (heatmaps.length !== 1) return { ...baseOf(view), kind: "facets", facets: heatmaps, ...perRow, ...scales };
  const [{ values, titles, places }] = heatmaps;
  return { ...baseOf(view), kind: "imshow", values, titles, places, ...scales };
}

/** What a heatmap is called: the value of its rows, and what its numbers are if there are several. */
function titleOf(value: Scalar, column: string): string {
  return [value, column].filter((part) => part !== "").join(", ");
}

/** The rows of each value of a column; of one that has none, no rows. */
function facetsOf(rows: ViewRows, { column, values }: IndexOf): (readonly [Scalar, ViewRows])[] {
  const groups = rows.groupedBy(column);
  return values ? values.map((value) => [value, groups.get(value) ?? rows.atMost(0)]) : [...groups];
}

export function indexOf(axis: string | IndexOf): IndexOf {
  return typeof axis === "string" ? { column: axis } : axis;
}

/** A column's values in the order of their numbers; words in that of the rows. */
export function orderOf(rows: ViewRows, column: string): Scalar[] {
  const values = [...new Set(rows.values(column))].filter((value) => value !== null);
  return values.every((value) => typeof value === "number") ? values.sort((a, b) => a - b) : values;
}

/** For each place of the grid the number of its row among `rows`, or −1. @throws ArgumentError for two rows in one place */
function cellsOf(
  rows: ViewRows,
  view: ImshowView,
  [x, y]: readonly [string, string],
  [across, down]: readonly [readonly Scalar[], readonly Scalar[]],
): number[][] {
  const [columns, lines] = [across, down].map((order) => new Map(order.map((value, i) => [value, i])));
  const cells = down.map(() => across.map(() => -1));
  const [atX, atY] = [rows.values(x), rows.values(y)];
  atX.forEach((value, row) => {
    const [c, r] = [columns.get(value), lines.get(atY[row])];
    if (c === undefined || r === undefined) return;
    if (cells[r][c] >= 0) throw twoInOneCell(view, `${y} ${shown(atY[row])} and ${x} ${shown(value)}`);
    cells[r][c] = row;
  });
  return cells;
}

function twoInOneCell({ name, table, facet }: ImshowView, cell: string): ArgumentError {
  const apart = facet === undefined ? ", or draw a heatmap for each value of another column with `facet`" : "";
  return new ArgumentError(
    `The heatmap "${name}" has two rows of the table "${table}" in one cell, ${cell}: choose one with \`where\`${apart}.`,
    { asked: table, found: cell },
  );
}

function axisOf(rows: ViewRows, { column, label, ticks }: IndexOf, order: readonly Scalar[]): IndexAxis {
  return { label: label ?? rows.column(column).title, ticks: ticks ?? order.map(String) };
}

function colorsOf(
  rows: ViewRows,
  columns: readonly string[],
  given: ColorScale & { readonly atLeast?: number; readonly column?: unknown },
  values: readonly (number | null)[],
): ColorScale {
  const { column: _, atLeast, ...scale } = given;
  return { ...rows.axis(columns, scale), ...symmetric(atLeast, values) };
}

/** A scale from −x to x, for the largest |value| but at least `atLeast`, if that is given. */
export function symmetric(atLeast: number | undefined, values: Iterable<number | null>): Pick<ColorScale, "domain"> {
  if (atLeast === undefined) return {};
  const [low, high] = extent(values) ?? [0, 0];
  const most = Math.max(atLeast, -low, high);
  return most > 0 ? { domain: [-most, most] } : {};
}
