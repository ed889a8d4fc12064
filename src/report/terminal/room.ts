/** What the pictures in a terminal share: the room for them, texts cut to a width, and the scale of their colours. */
import { type Coloring, upperEnd } from "../color.ts";
import { formatNumber } from "../format.ts";
import type { Ink, Paint } from "../ink.ts";
import { textWidth } from "../token-text.ts";
import { wrapText } from "../wrap-text.ts";

/** The room for a picture. */
export interface Room {
  /** In columns. */
  readonly width: number;
  readonly lines: number;
  readonly ink: Ink;
  readonly paint: Paint;
}

export function pad(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - textWidth(text)));
}

/** How many cells show the colours from one end of a scale to the other. */
const RAMP = 10;

/** What the colours say, and notes: "attention 0 (colours) 0.9 · rows: query". */
export function legend(coloring: Coloring, notes: readonly string[], { width, ink, paint }: Room): string[] {
  const [low, high] = [formatNumber(coloring.domain[0], 2), upperEnd(coloring, 2)];
  const cells = coloring.steps(RAMP).map((color) => paint.on(" ", color));
  const before = coloring.label ? `${coloring.label} ${low} ` : `${low} `;
  const ramp = `${ink.faint(before)}${cells.join("")}${ink.faint(` ${high}`)}`;
  const used = textWidth(before) + RAMP + 1 + textWidth(high);
  const text = notes.join(" · ");
  if (!text) return [ramp];
  if (used + 3 + textWidth(text) <= width) return [`${ramp}${ink.faint(` · ${text}`)}`];
  return [ramp, ...wrapText(text, width).map(ink.faint)];
}
