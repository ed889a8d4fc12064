/** What a view of a table draws, as numbers and words: a picture that every renderer can draw. */
import type { Finding } from "../../finding/finding.ts";
import type { PictureSpec } from "../../finding/picture.ts";
import type { Table } from "../../finding/table.ts";
import { checkView, isView, type View } from "../../finding/view.ts";
import { listOf, OBJECT } from "../../tensor/kinds.ts";
import { checkArgument } from "../../tensor/options.ts";
import { gridOf } from "./grid.ts";
import { barOf, histOf, lineOf, scatterOf } from "./points.ts";
import { ViewRows } from "./rows.ts";
import { logitLensOf, tokensOf, topkOf } from "./texts.ts";

/**
 * The picture that a view of tables describes, with its numbers, hover texts and the places of its rows; a picture that has its own
 * numbers is itself.
 * @throws UnknownNameError for a table or column that does not exist
 */
export function pictureOf(view: View | PictureSpec, tables: readonly Table[]): PictureSpec {
  checkArgument("The view of pictureOf", view, OBJECT);
  checkArgument("The tables of pictureOf", tables, listOf(OBJECT, "tables"));
  if (!isView(view)) return view;
  checkView(view, tables);
  const table = (name: string) => tables.find((one) => one.name === name)!;
  const rows = ViewRows.of(table(view.table)).where(view.where);
  switch (view.kind) {
    case "imshow":
      return gridOf(view, rows);
    case "line":
      return lineOf(view, rows);
    case "scatter":
      return scatterOf(view, rows);
    case "bar":
      return barOf(view, rows);
    case "hist":
      return histOf(view, rows);
    case "tokens":
      return tokensOf(view, rows);
    case "topk":
      return topkOf(view, rows);
    case "logit-lens":
      return logitLensOf(view, rows, table(view.top.table));
  }
}

/** A finding whose pictures have their numbers, for a renderer. */
export interface DrawnFinding extends Finding {
  readonly pictures: readonly PictureSpec[];
}

/** The finding with every view of a table drawn up. */
export function drawn(finding: Finding): DrawnFinding {
  return { ...finding, pictures: finding.pictures.map((picture) => pictureOf(picture, finding.tables)) };
}
