/** A logit lens in a terminal: each top token on its colour, the last layer on top, as many of the last positions as fit. */
import type { LogitLensSpec } from "../../finding/picture.ts";
import { counted, listed } from "../../tensor/words.ts";
import { isRight, lensColors } from "../draw/lens-cells.ts";
import { MISSING } from "../format.ts";
import { cutText, textWidth, visibleToken } from "../token-text.ts";
import { legend, pad, type Room } from "./room.ts";

const LABEL = 12;
/** A column's least and greatest width. */
const NARROW = 4;
const WIDE = 10;
/** Fewer layers are not worth their lines. */
const LEAST_LAYERS = 3;

interface Column {
  readonly pos: number;
  readonly width: number;
}

/** The lines; none if there is no room. */
export function lensLines(spec: LogitLensSpec, room: Room): string[] {
  const { ink, paint, lines, width } = room;
  const colors = lensColors(spec);
  const around = 1 + (spec.next ? 1 : 0);
  const most = legend(colors.coloring, [...marks(spec), ...left(spec, 0, 0)], room).length;
  const fitting = lines - around - most;
  const layers = chosen(spec.layers.length, fitting);
  if (fitting < LEAST_LAYERS || layers.length === 0) return [];
  const label = Math.max(5, ...layers.map((i) => textWidth(cutText(spec.layers[i].name, LABEL)))) + 1;
  const columns = lastColumns(spec, layers, width - label);
  const row = (name: string, cell: (column: Column) => string) =>
    `${pad(cutText(name, LABEL), label)}${columns.map(cell).join("")}`;
  const word = (text: string, { width }: Column) => pad(cutText(text, width - 1), width);
  return [
    ...(spec.next ? [ink.faint(row("next", (c) => word(visibleToken(spec.next![c.pos] ?? MISSING), c)))] : []),
    ...layers.toReversed().map((i) =>
      row(spec.layers[i].name, (column) => {
        const cell = spec.layers[i].cells[column.pos];
        const text = word(visibleToken(cell.top[0]?.token ?? ""), column);
        const color = colors.coloring.of(colors.of(cell));
        if (!isRight(cell)) return paint.on(text, color);
        const bare = text.trimEnd();
        return paint.under(bare, color) + paint.on(" ".repeat(textWidth(text) - textWidth(bare)), color);
      }),
    ),
    ink.faint(row("reads", (c) => word(visibleToken(spec.tokens[c.pos]), c))),
    ...legend(colors.coloring, [...marks(spec), ...left(spec, layers.length, columns.length)], room),
  ];
}

function marks(spec: LogitLensSpec): string[] {
  const some = spec.layers.some(({ cells }) => cells.some(isRight));
  return some ? ["underlined: the right next token"] : [];
}

/** What is not shown. */
function left({ layers, tokens }: LogitLensSpec, rows: number, columns: number): string[] {
  const parts = [
    ...(rows < layers.length ? [`${rows} of ${counted(layers.length, "row")}`] : []),
    ...(columns < tokens.length ? [`the last ${columns} of ${counted(tokens.length, "position")}`] : []),
  ];
  return parts.length > 0 ? [`shown: ${listed(parts, "and")}`] : [];
}

/** This many of the layers at most, evenly, with the first and the last. */
function chosen(count: number, most: number): number[] {
  if (count <= most) return Array.from({ length: count }, (_, i) => i);
  return Array.from({ length: Math.max(0, most) }, (_, i) => Math.round((i * (count - 1)) / Math.max(1, most - 1)));
}

/** The last positions that fit, each as wide as its tokens. */
function lastColumns({ tokens, next, layers }: LogitLensSpec, shown: readonly number[], width: number): Column[] {
  const columns: Column[] = [];
  let free = width;
  for (let pos = tokens.length - 1; pos >= 0; pos--) {
    const texts = [tokens[pos], next?.[pos] ?? "", ...shown.map((i) => layers[i].cells[pos].top[0]?.token ?? "")];
    const widest = Math.max(...texts.map((text) => textWidth(visibleToken(text)))) + 1;
    const column = Math.max(NARROW, Math.min(WIDE, widest));
    if (column > free) break;
    free -= column;
    columns.unshift({ pos, width: column });
  }
  return columns;
}
