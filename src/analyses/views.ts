/** Pictures that several analyses have. */
import { HEAD, LAYER } from "../finding/columns.ts";
import type { BarView, ImshowView } from "../finding/view.ts";

/** A number of each head as a heatmap, layer by layer, of the table `heads`. */
export function headMap(
  name: string,
  title: string,
  color: ImshowView["color"],
  more: Partial<ImshowView> = {},
): ImshowView {
  return { kind: "imshow", name, title, table: "heads", x: HEAD.name, y: LAYER.name, color, ...more };
}

/** The rows of the table of that name as horizontal bars, in their order. @param x the column with the bars' names */
export function bars(name: string, title: string, x: string, y: BarView["y"]): BarView {
  return { kind: "bar", name, title, table: name, x: { column: x, label: "" }, y, horizontal: true };
}
