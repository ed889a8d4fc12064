/** A tensor as a table of its numbers, or of a corner of them, coloured by value. */
import { glimpseLine } from "../graph/glimpse.ts";
import type { Tensor } from "../graph/tensor.ts";
import { coloring, inkOn } from "./color.ts";
import { escapeMarkup } from "./escape.ts";
import { formatNumber } from "./format.ts";

/** Rows and columns that are shown; the first ones. */
const MOST_ROWS = 12;
const MOST_COLUMNS = 12;

/** The last two axes of computed numbers, at place 0 of those in front, under a line that says what they are. */
export function tensorTable(x: Tensor): string {
  const [rows, columns] = [x.shape.at(-2) ?? 1, x.shape.at(-1) ?? 1];
  const [shownRows, shownColumns] = [Math.min(rows, MOST_ROWS), Math.min(columns, MOST_COLUMNS)];
  const numbers = Array.from({ length: shownRows }, (_, i) =>
    Array.from({ length: shownColumns }, (_, j) => x.data[i * columns + j] as number),
  );
  const scale = coloring({}, numbers.flat().filter(Number.isFinite));
  const cells = numbers.map((row) => row.map((v) => cell(v, Number.isFinite(v) ? scale.of(v) : undefined)).join(""));
  const more = columns > shownColumns ? "<td>…</td>" : "";
  const lines = cells.map((line) => `<tr>${line}${more}</tr>`);
  if (rows > shownRows) lines.push("<tr><td>…</td></tr>");
  return (
    `<figure style="margin:0;font:12px ui-monospace,monospace"><figcaption>${escapeMarkup(captionOf(x))}</figcaption>` +
    `<table style="border-collapse:collapse">${lines.join("")}</table></figure>`
  );
}

function cell(value: number, color: string | undefined): string {
  const ink = color ? `;background:${color};color:${inkOn(color)}` : "";
  return `<td style="padding:1px 6px;text-align:right${ink}">${Number.isNaN(value) ? "NaN" : formatNumber(value)}</td>`;
}

function captionOf(x: Tensor): string {
  const front = x.shape.slice(0, -2).map((_, i) => `${x.axes[i] || `axis ${i}`} 0`);
  const where = front.length > 0 ? `; shown at ${front.join(", ")}` : "";
  return `${glimpseLine(x)}${where}`;
}
