/** Draws many small cells with few elements: neighbours of one colour in a row become one line, all lines of a colour one path. */
import { round } from "./drawing.ts";

/** Where cells are drawn: the upper left corner, and the width and height of a cell. */
export interface CellBox {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** The cells as lines one unit thick; `paint` gives the attributes of a colour, `null` leaves a cell in the page's colour. */
export function cellPaths(
  rows: number,
  columns: number,
  colorOf: (row: number, column: number) => string | null,
  paint: (color: string) => string,
): string {
  const paths = new Map<string, string>();
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; ) {
      const color = colorOf(r, c);
      const from = c++;
      while (c < columns && colorOf(r, c) === color) c++;
      if (color !== null) paths.set(color, `${paths.get(color) ?? ""}M${from} ${r}h${c - from}`);
    }
  }
  return [...paths].map(([color, d]) => `<path ${paint(color)} d="${d}"/>`).join("");
}

/** The result of `cellPaths`, placed in its box. Lines are a little thicker than a cell, as renderers otherwise leave seams between rows. */
export function placedCells(paths: string, { x, y, width, height }: CellBox): string {
  const scale = width === height ? round4(width) : `${round4(width)},${round4(height)}`;
  return (
    `<g class="cells" transform="translate(${round(x)},${round(y + height / 2)}) scale(${scale})" fill="none" ` +
    `stroke-width="1.04" shape-rendering="crispEdges">${paths}</g>`
  );
}

function round4(value: number): number {
  return Math.round(value * 1e4) / 1e4;
}
