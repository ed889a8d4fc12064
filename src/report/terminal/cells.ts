/** Cells in a terminal: matrices side by side, a row in each line or, where that is too high, two. */
import { cutText, textWidth } from "../token-text.ts";
import { pad, type Room } from "./room.ts";

/** A cell's least width, and its greatest with one row in a line and with two. */
const NARROW = 2;
const WIDE = { whole: 8, half: 3 };
/** Columns of at least this width have their names, cut; narrower ones their numbers. */
const LEGIBLE = 5;
const GAP = 2;
const LABEL = 12;

export interface Cells {
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  /** What stands for a column that is too narrow for its name. Default: its index. */
  readonly numbers?: readonly number[];
  /** In front of the rows' names. */
  readonly rowNumbers?: readonly number[];
  /** `colors[row][column]`; `null` for no cell. */
  readonly grids: readonly { readonly title: string; readonly colors: readonly (readonly (string | null)[])[] }[];
  /** The least width of a cell. Default 2. */
  readonly narrow?: number;
}

/** The lines; none if there is no room. Names of rows are shortened where cells would not fit besides. */
export function cellLines(cells: Cells, room: Room): string[] {
  const long = linesWith(cells, room, LABEL);
  return long.length > 0 ? long : linesWith(cells, room, LABEL / 2);
}

/** @param most the most room for a row's name */
function linesWith(cells: Cells, { width, lines, ink, paint }: Room, most: number): string[] {
  const { rows, columns, grids } = cells;
  const titled = grids.some(({ title }) => title);
  const half = rows.length + 1 + +titled > lines;
  const names = half ? pairNames(cells, most) : wholeNames(cells, most);
  const label = Math.max(0, ...names.map(textWidth)) + 1;
  const free = width - label - (grids.length - 1) * GAP;
  const cell = Math.min(half ? WIDE.half : WIDE.whole, Math.floor(free / (grids.length * columns.length)));
  if (cell < (cells.narrow ?? NARROW) || names.length + 1 + +titled > lines) return [];
  const across = (parts: readonly string[]) => parts.join(" ".repeat(GAP));
  const title = across(grids.map((grid) => pad(cutText(grid.title, columns.length * cell), columns.length * cell)));
  const color = (grid: number, row: number, column: number) => grids[grid].colors[row]?.[column] ?? null;
  const line = (row: number, grid: number) =>
    columns
      .map((_, c) => {
        const upper = color(grid, row, c);
        if (half) return paint.halves(cell, upper, color(grid, row + 1, c));
        return upper === null ? " ".repeat(cell) : paint.on(" ".repeat(cell), upper);
      })
      .join("");
  return [
    ...(titled ? [`${" ".repeat(label)}${title}`] : []),
    ink.faint(`${" ".repeat(label)}${across(grids.map(() => heads(cells, cell)))}`),
    ...names.map((name, i) => `${pad(name, label)}${across(grids.map((_, grid) => line(half ? 2 * i : i, grid)))}`),
  ];
}

/** The names of columns, or the numbers of as many as fit. */
function heads({ columns, numbers }: Cells, cell: number): string {
  if (cell >= LEGIBLE || columns.every((name) => textWidth(name) < cell)) {
    return columns.map((name) => pad(cutText(name, cell - 1), cell)).join("");
  }
  const digits = columns.map((_, c) => String(numbers?.[c] ?? c));
  const step = Math.ceil((Math.max(...digits.map((text) => text.length)) + 1) / cell);
  const shown = digits.filter((_, c) => c % step === 0).map((text) => pad(text, step * cell));
  return pad(shown.join("").slice(0, columns.length * cell), columns.length * cell);
}

function wholeNames({ rows, rowNumbers }: Cells, most: number): string[] {
  const digits = Math.max(0, ...(rowNumbers ?? []).map((number) => String(number).length));
  return rows.map((name, r) => cutText(rowNumbers ? `${String(rowNumbers[r]).padStart(digits)} ${name}` : name, most));
}

/** Two rows' names in one line. */
function pairNames({ rows, rowNumbers }: Cells, most: number): string[] {
  const short = rows.map((name) => cutText(name, rowNumbers ? most - 3 : most));
  const widest = Math.max(0, ...short.map(textWidth));
  const digits = Math.max(0, ...(rowNumbers ?? []).map((number) => String(number).length));
  return Array.from({ length: Math.ceil(rows.length / 2) }, (_, i) => {
    const number = rowNumbers ? `${String(rowNumbers[2 * i]).padStart(digits)} ` : "";
    return `${number}${pad(short[2 * i], widest)} ${short[2 * i + 1] ?? ""}`.trimEnd();
  });
}
