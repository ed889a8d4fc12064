/** Heatmaps in a terminal. */
import type { FacetsSpec, ImshowSpec } from "../../finding/picture.ts";
import { coloring } from "../color.ts";
import { visibleToken } from "../token-text.ts";
import { cellLines } from "./cells.ts";
import { legend, type Room } from "./room.ts";

/** Heatmaps side by side, and what their colours say; nothing if they do not fit. */
export function gridLines(spec: ImshowSpec | FacetsSpec, room: Room): string[] {
  const grids = spec.kind === "facets" ? spec.facets : [{ title: "", values: spec.values }];
  const [{ values: first } = { values: [] }] = grids;
  const scale = coloring(
    spec.color,
    grids.flatMap(({ values }) => values.flat()),
  );
  const name = (axis: typeof spec.x, i: number) => visibleToken(axis?.ticks?.[i] ?? String(i));
  const axes = Object.entries({ rows: spec.y?.label, columns: spec.x?.label }).flatMap(([what, label]) =>
    label ? [`${what}: ${label.replace(/ \(.*\)$/, "")}`] : [],
  );
  const says = legend(scale, axes.length > 0 ? [axes.join(", ")] : [], room);
  const cells = cellLines(
    {
      rows: first.map((_, r) => name(spec.y, r)),
      columns: (first[0] ?? []).map((_, c) => name(spec.x, c)),
      grids: grids.map(({ title, values }) => ({
        title,
        colors: values.map((row) => row.map((value) => (value === null ? null : scale.of(value)))),
      })),
    },
    { ...room, lines: room.lines - says.length },
  );
  return cells.length > 0 ? [...cells, ...says] : [];
}
