/** A table's rows as points: of lines, of a scatter, of histograms. */
import type { BarSpec, HistSpec, LineSpec, ScatterSpec } from "../../finding/picture.ts";
import {
  type AxisOf,
  type BarView,
  type HistView,
  type LineView,
  namesIn,
  type ScatterView,
  type SeriesOf,
} from "../../finding/view.ts";
import { baseOf, tipColumns } from "./base.ts";
import { indexOf } from "./grid.ts";
import type { ViewRows } from "./rows.ts";

/** An axis without the column that is along it. */
function scaleOf(rows: ViewRows, axis: string | readonly string[] | AxisOf<string | readonly string[]>) {
  const given = typeof axis === "object" && "column" in axis ? axis : { column: axis };
  const { column, plus: _, ...scale } = given as AxisOf<string>;
  return rows.axis(namesIn(column), scale as Omit<AxisOf, "column">);
}

function plusOf(axis: LineView["y"]): number {
  return typeof axis === "object" && "column" in axis ? (axis.plus ?? 0) : 0;
}

export function lineOf(view: LineView, rows: ViewRows): LineSpec {
  const [x] = namesIn(view.x);
  const columns = namesIn(view.y);
  const lines =
    view.by === undefined
      ? columns.map((column) => ({ name: rows.column(column).title, column, of: rows }))
      : groupsOf(rows, view.by).map(({ name, of }) => ({ name, column: columns[0], of }));
  const words = rows.values(x).some((value) => typeof value === "string");
  const ticks = [...new Set(rows.values(x).map(String))];
  return {
    ...baseOf(view),
    kind: "line",
    series: lines.map(({ name, column, of }) => ({
      name,
      x: words ? of.values(x).map((value) => ticks.indexOf(String(value))) : of.numbers(x).map((value) => value ?? 0),
      y: of.numbers(column).map((value) => (value === null ? null : value + plusOf(view.y))),
      titles: of.tips(tipColumns(view, [x, column])),
      places: of.places(),
    })),
    x: { ...scaleOf(rows, view.x), ...(words ? { ticks } : {}) },
    y: scaleOf(rows, view.y),
    ...(view.references ? { references: view.references } : {}),
  };
}

export function scatterOf(view: ScatterView, rows: ViewRows): ScatterSpec {
  const [[x], [y]] = [namesIn(view.x), namesIn(view.y)];
  const { most = Number.POSITIVE_INFINITY, thin } = view;
  const kept = view.by === undefined ? rows : rows.atMost(most, thin);
  const named = view.label === undefined ? undefined : namedOf(kept, view);
  return {
    ...baseOf(view),
    kind: "scatter",
    series: seriesOf(view.series, kept, view.by).map(({ of: all, ...series }) => {
      const of = all.atMost(most, thin);
      const label = series.label ?? view.label;
      return {
        name: series.name,
        x: of.numbers(x),
        y: of.numbers(y),
        titles: of.tips(tipColumns(view, [x, y])),
        places: of.places(),
        ...(label === undefined ? {} : { labels: labelsOf(of, label, named ?? namedOf(of, series)) }),
      };
    }),
    x: scaleOf(rows, view.x),
    y: scaleOf(rows, view.y),
    ...(view.references ? { references: view.references } : {}),
  };
}

export function barOf(view: BarView, rows: ViewRows): BarSpec {
  const { column: x, label, ticks = rows.texts(x) } = indexOf(view.x);
  const { total, horizontal, references } = view;
  return {
    ...baseOf(view),
    kind: "bar",
    series: namesIn(view.y).map((column) => ({
      name: rows.column(column).title,
      values: rows.numbers(column),
      titles: rows.tips(tipColumns(view, [x, column])),
      places: rows.places(),
    })),
    x: { label: label ?? rows.column(x).title, ticks },
    y: scaleOf(rows, view.y),
    ...(total === undefined ? {} : { total }),
    ...(horizontal === undefined ? {} : { horizontal }),
    ...(references === undefined ? {} : { references }),
  };
}

/** The rows of a series that have a label. */
function namedOf(rows: ViewRows, { labels, labelsBy }: Pick<SeriesOf, "labels" | "labelsBy">): ReadonlySet<number> {
  if (labelsBy === undefined) return new Set(rows.rows.slice(0, labels));
  const sizes = rows.numbers(labelsBy).map((value) => Math.abs(value ?? 0));
  const order = [...rows.rows.keys()].sort((a, b) => sizes[b] - sizes[a]);
  return new Set(order.slice(0, labels).map((i) => rows.rows[i]));
}

/** What stands next to points. */
function labelsOf(rows: ViewRows, column: string, named: ReadonlySet<number>): string[] {
  return rows.texts(column).map((text, i) => (named.has(rows.rows[i]) ? text : ""));
}

export function histOf(view: HistView, rows: ViewRows): HistSpec {
  const columns = namesIn(view.value);
  const { of, bins, measure, references } = view;
  const series = view.series
    ? seriesOf(view.series, rows).map(({ name, of: some }) => ({ name, values: some.numbers(columns[0]) }))
    : columns.map((column) => ({ name: rows.column(column).title, values: rows.numbers(column) }));
  return {
    ...baseOf(view),
    kind: "hist",
    series,
    x: rows.axis(columns, view.x ?? {}),
    ...(of === undefined ? {} : { of }),
    ...(bins === undefined ? {} : { bins }),
    ...(measure === undefined ? {} : { measure }),
    ...(references === undefined ? {} : { references }),
  };
}

/** The rows of each series: those that the view names, or one for each value of a column. */
function seriesOf(
  series: readonly SeriesOf[] | undefined,
  rows: ViewRows,
  by?: string,
): (Omit<SeriesOf, "where"> & { readonly of: ViewRows })[] {
  if (series) return series.map(({ where, ...one }) => ({ ...one, of: rows.where(where) }));
  if (by === undefined) return [{ name: "", of: rows }];
  return groupsOf(rows, by);
}

/** The rows of each value of a column, and what they are called: "layer 0", or the value if it is a word. */
function groupsOf(rows: ViewRows, by: string): { readonly name: string; readonly of: ViewRows }[] {
  const { title } = rows.column(by);
  return [...rows.groupedBy(by)].map(([value, of]) => ({
    name: typeof value === "number" ? `${title} ${value}` : String(value),
    of,
  }));
}
