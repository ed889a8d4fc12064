/**
 * A picture of a table. It names the columns that are its axes, its colour, its series, as a plot's marks do: the numbers stay in
 * the table, so a finding has each of them once, and everything drawn knows its row, and with it its head, token or layer.
 *
 * Labels and units are the columns'. A share (format `percent`) is drawn in percent.
 */
import { UnknownNameError } from "../tensor/errors.ts";
import type { Axis, ColorScale, IndexAxis, PictureBase, PictureSpec, ReferenceLine } from "./picture.ts";
import type { Scalar, Table } from "./table.ts";

/** A picture of a table's columns. */
export type View = ImshowView | LineView | ScatterView | BarView | HistView | TokensView | TopkView | LogitLensView;

/** Rows whose columns hold these values: one, or any of several. */
export type Where = Readonly<Record<string, Scalar | readonly Scalar[]>>;

interface ViewBase extends PictureBase {
  /** The name of the table. */
  readonly table: string;
  /** Default: all its rows. */
  readonly where?: Where;
  /** Columns that a hover text has, besides those that say where the row is and those that are drawn. */
  readonly tip?: readonly string[];
}

/** A column along an axis of numbers, or several columns on the same axis. */
export interface AxisOf<C = string> extends Axis {
  readonly column: C;
  /** Added to each number that is drawn: 1 puts ranks, which begin at 0, on a logarithmic axis. */
  readonly plus?: number;
}

/** A column along an axis of rows or columns. Its values stand in the order of their numbers, words in that of the table. */
export interface IndexOf extends IndexAxis {
  readonly column: string;
  /** Which of its values, in which order. */
  readonly values?: readonly Scalar[];
}

/** A column as colours. */
export interface ColorOf<C = string> extends ColorScale {
  readonly column: C;
  /** The scale is symmetric and goes at least this far. */
  readonly atLeast?: number;
}

type Columns = string | readonly string[];

/**
 * A row as a coloured cell, which no other row may have; with `facet`, several columns as `color`, or both (a row of heatmaps for each
 * column), heatmaps side by side on one scale.
 */
export interface ImshowView extends ViewBase {
  readonly kind: "imshow";
  readonly x: string | IndexOf;
  readonly y: string | IndexOf;
  readonly color: Columns | ColorOf<Columns>;
  /** The column whose values have a heatmap each. */
  readonly facet?: string | Omit<IndexOf, "label" | "ticks">;
}

/** Rows as points of lines: a line for each column of `y`, or for each value of the column `by`. */
export interface LineView extends ViewBase {
  readonly kind: "line";
  readonly x: string | AxisOf;
  readonly y: Columns | AxisOf<Columns>;
  readonly by?: string;
  readonly references?: readonly ReferenceLine[];
}

/** Some of the rows, drawn alike. */
export interface SeriesOf {
  readonly name: string;
  readonly where?: Where;
  /** The column that is written next to its points. */
  readonly label?: string;
  /** How many of its points have a label: those with the largest |numbers| in the column `labelsBy`. Default: all. */
  readonly labels?: number;
  readonly labelsBy?: string;
}

/** Rows as points. */
export interface ScatterView extends ViewBase {
  readonly kind: "scatter";
  readonly x: string | AxisOf;
  readonly y: string | AxisOf;
  /** Groups of rows, later ones over earlier ones. */
  readonly series?: readonly SeriesOf[];
  /** The column whose values have a series each. */
  readonly by?: string;
  /** The column that is written next to points, and how many it is written next to: the first rows, or those with the largest |numbers| in the column `labelsBy`. Default: all. */
  readonly label?: string;
  readonly labels?: number;
  readonly labelsBy?: string;
  /** The most points of a series. Default: all. */
  readonly most?: number;
  /** Which of too many are drawn. Default: the first rows. */
  readonly thin?: "first" | "evenly";
  readonly references?: readonly ReferenceLine[];
}

/** Rows as bars; several columns as `y` stand side by side. */
export interface BarView extends ViewBase {
  readonly kind: "bar";
  /** The column with the bars' names. */
  readonly x: string | IndexOf;
  readonly y: Columns | AxisOf<Columns>;
  /** Makes a waterfall: each bar starts where the one before ended, and a last bar with this name is their sum. */
  readonly total?: string;
  readonly horizontal?: boolean;
  readonly references?: readonly ReferenceLine[];
}

/** How often values occur in columns. */
export interface HistView extends ViewBase {
  readonly kind: "hist";
  readonly value: Columns;
  readonly series?: readonly SeriesOf[];
  readonly x?: Omit<Axis, "scale" | "ticks">;
  readonly bins?: number;
  readonly measure?: "count" | "share";
  readonly of?: string;
  readonly references?: readonly ReferenceLine[];
}

/** Rows as coloured tokens of texts, in their order. */
export interface TokensView extends ViewBase {
  readonly kind: "tokens";
  readonly token: string;
  /** The column that says which text a row belongs to. Without it there is one text. */
  readonly text?: string;
  /** Each is drawn as one line of coloured tokens per text. */
  readonly rows: readonly (string | ColorOf)[];
  /** The column whose values have a line of coloured tokens each, where a token has several rows. */
  readonly by?: string;
  /** All rows have the same scale. */
  readonly oneScale?: boolean;
  readonly hover?: readonly string[];
  /** Tokens with a frame, and what it means. */
  readonly marked?: Where;
  readonly marks?: string;
  /** The most texts; those with framed tokens come first. Default: all. */
  readonly most?: number;
}

/** Rows as a ranking of tokens, for each value of the column `by`. */
export interface TopkView extends ViewBase {
  readonly kind: "topk";
  readonly by?: string | IndexOf;
  /** The column of tokens and that of their numbers, the largest first. */
  readonly top: readonly [token: string, value: string];
  /** Likewise for the other end, the smallest first. */
  readonly bottom?: readonly [token: string, value: string];
  /** What the columns are: "neuron". */
  readonly of?: string;
  readonly color?: ColorScale;
}

/** A logit lens: a row for each layer and position, and in another table a row for each token at the top there. */
export interface LogitLensView extends ViewBase {
  readonly kind: "logit-lens";
  /** Where the stream is read, the column's name in both tables. */
  readonly y: string;
  /** The position, the column's name in both tables. */
  readonly x: string;
  readonly token: string;
  readonly next?: string;
  /** Of the right token: its log probability and its rank. */
  readonly right?: readonly [logProb: string, rank: string];
  readonly entropy?: string;
  /** The table of the most probable tokens, the most probable first, and its columns. */
  readonly top: { readonly table: string; readonly token: string; readonly probability: string };
  readonly color?: ColorScale;
}

/** Whether a finding's picture is a view of one of its tables. */
export function isView(picture: PictureSpec | View): picture is View {
  return "table" in picture;
}

/** @throws UnknownNameError if a view names a table, or a column, that does not exist */
export function checkView(view: View, tables: readonly Table[]): void {
  const of = (name: string): Table => {
    const table = tables.find((one) => one.name === name);
    if (table) return table;
    const names = tables.map((one) => one.name);
    throw new UnknownNameError(`table for the picture "${view.name}"`, name, names);
  };
  const known = (table: Table, columns: readonly string[]) => {
    const names = table.columns.map(({ name }) => name);
    const unknown = columns.find((column) => !names.includes(column));
    if (unknown === undefined) return;
    throw new UnknownNameError(`column of table "${table.name}" for the picture "${view.name}"`, unknown, names);
  };
  known(of(view.table), columnsOf(view));
  if (view.kind === "logit-lens") {
    known(of(view.top.table), [view.x, view.y, view.top.token, view.top.probability]);
  }
}

type ColumnRef = Columns | { readonly column: Columns } | undefined;

/** The names in a reference to columns. */
export function namesIn(reference: ColumnRef): readonly string[] {
  if (reference === undefined) return [];
  if (typeof reference === "string") return [reference];
  return "column" in reference ? namesIn(reference.column) : reference;
}

/** The columns of its table that a view draws, and those that say which rows. */
function columnsOf(view: View): string[] {
  return [
    ...new Set([...drawnColumns(view), ...Object.keys(view.where ?? {}), ...(view.tip ?? []), ...chosenBy(view)]),
  ];
}

/** The columns that a view draws. */
export function drawnColumns(view: View): string[] {
  switch (view.kind) {
    case "imshow":
      return [view.x, view.y, view.color, view.facet].flatMap(namesIn);
    case "line":
      return [view.x, view.y, view.by].flatMap(namesIn);
    case "scatter":
      return [view.x, view.y, view.by, view.label].flatMap(namesIn);
    case "bar":
      return [view.x, view.y].flatMap(namesIn);
    case "hist":
      return [...namesIn(view.value)];
    case "tokens":
      return [view.text, view.token, ...view.rows, view.by, ...(view.hover ?? [])].flatMap(namesIn);
    case "topk":
      return [view.by, ...view.top, ...(view.bottom ?? [])].flatMap(namesIn);
    case "logit-lens":
      return [view.x, view.y, view.token, view.next, ...(view.right ?? []), view.entropy].flatMap(namesIn);
  }
}

/** The columns that decide which series a row is in, how it is labelled, whether it is framed. */
function chosenBy(view: View): string[] {
  if (view.kind === "tokens") return Object.keys(view.marked ?? {});
  if (view.kind !== "scatter" && view.kind !== "hist") return [];
  const series = (view.series ?? []).flatMap(({ where = {}, label, labelsBy }) => [
    ...Object.keys(where),
    ...namesIn(label),
    ...namesIn(labelsBy),
  ]);
  return view.kind === "scatter" ? [...series, ...namesIn(view.labelsBy)] : series;
}
