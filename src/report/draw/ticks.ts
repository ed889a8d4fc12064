/** Labels along the edges of a grid of cells: tokens, layers, or just the index. */
import { cutText, textWidth, visibleToken } from "../token-text.ts";
import { MONO, round, svgText } from "./drawing.ts";
import { largest } from "./limits.ts";

/** The font size and letter width of labels: a fixed-width font has known widths. */
export const TICK_SIZE = 11;
export const TICK_LETTER = TICK_SIZE * 0.602;
const TICK_STYLE = `font-family="${MONO}" font-size="${TICK_SIZE}"`;
/** The height of a slanted label per unit of length: sin 45°. */
const SLANT = Math.SQRT1_2;
/** Labels closer than this are left out, and slanted ones are turned upright. */
const PITCH = 11.5;
const SLANTED_PITCH = 15;

/** Slanted labels under columns extend to the left of their column; `upright` ones stay below it. */
export interface ColumnTickOptions {
  readonly above?: boolean | undefined;
  readonly upright?: boolean | undefined;
}

/** The labels of an axis, with invisible characters made visible, cut to `most` letters. */
export function tickLabels(ticks: readonly string[] | undefined, count: number, most: number): string[] {
  return indices(count).map((i) => (ticks?.[i] === undefined ? String(i) : cutText(visibleToken(ticks[i]), most)));
}

/** The widest of the labels, in pixels. */
export function widest(labels: readonly string[]): number {
  return largest(labels.map(textWidth), 0) * TICK_LETTER;
}

/** Labels to the left of rows, ending at `x`. */
export function leftTicks(labels: readonly string[], x: number, y: number, size: number): string {
  return every(labels.length, PITCH / size)
    .map((i) => svgText(labels[i], x, y + (i + 0.5) * size + 4, `text-anchor="end" ${TICK_STYLE}`))
    .join("");
}

/** Whether labels must be turned to fit side by side in columns of this width. Plain indices are thinned out instead. */
function slanted(labels: readonly string[], size: number): boolean {
  return widest(labels) + 5 > size && !labels.every((label) => /^\d+$/.test(label));
}

/** How far a slanted label may extend beyond its column. */
export function slantedReach(label: string | undefined, size: number): number {
  return label ? Math.max(0, widest([label]) * SLANT + 8 - size / 2) : 0;
}

/** The room that column labels need. */
export function columnTickHeight(labels: readonly string[], size: number, { upright }: ColumnTickOptions = {}): number {
  return slanted(labels, size) ? widest(labels) * (upright || size < SLANTED_PITCH ? 1 : SLANT) + 14 : 18;
}

/** Labels under columns from `x` on, or above them with `above`; turned if they would touch. */
export function columnTicks(
  labels: readonly string[],
  x: number,
  y: number,
  size: number,
  { above = false, upright = false }: ColumnTickOptions = {},
): string {
  const turned = slanted(labels, size);
  const straight = upright || size < SLANTED_PITCH;
  // For tokens the last one matters most; indices are counted from the first.
  const chosen = every(labels.length, (turned ? PITCH : widest(labels) + 5) / size);
  const fromEnd = labels.some((label) => !/^\d+$/.test(label));
  return chosen
    .map((i) => (fromEnd ? labels.length - 1 - i : i))
    .sort((a, b) => a - b)
    .map((i) => {
      const at = x + (i + 0.5) * size;
      if (!turned) return svgText(labels[i], at, above ? y - 6 : y + 14, `text-anchor="middle" ${TICK_STYLE}`);
      const [dx, dy, anchor] = above
        ? straight
          ? [4, -5, "start"]
          : [1, -5, "start"]
        : straight
          ? [4, 7, "end"]
          : [3, 10, "end"];
      const turn = `transform="rotate(${straight ? -90 : -45},${round(at + dx)},${round(y + dy)})"`;
      return svgText(labels[i], at + dx, y + dy, `text-anchor="${anchor}" ${turn} ${TICK_STYLE}`);
    })
    .join("");
}

export function indices(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

/** Indices far enough apart that their labels do not touch, in steps of 1, 2, 5, 10, ... */
export function every(count: number, least: number): number[] {
  let step = 1;
  for (let power = 1; step < least; power *= 10)
    step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= least) ?? step;
  return indices(count).filter((i) => i % step === 0);
}
