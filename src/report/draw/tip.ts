/** What the tip of a cell, point or bar says: its own words, then its place and its number, with the axes' names and units. */
import type { Axis, ColorScale, IndexAxis } from "../../finding/picture.ts";
import { formatNumber, formatQuantity, MISSING } from "../format.ts";
import { visibleToken } from "../token-text.ts";

/** "layer 3", "head L0H1", or just the tick where the axis has no label, or the tick says it already. */
export function indexWords({ label = "", ticks }: IndexAxis = {}, index: number): string {
  const tick = ticks?.[index] === undefined ? formatNumber(index) : visibleToken(ticks[index]);
  return tick.toLowerCase().startsWith(label.toLowerCase()) ? tick : `${label} ${tick}`;
}

/** "attribution 0.05 logits", or the number alone where the axis has no label. */
export function valueWords({ label = "", unit, ticks }: Axis = {}, value: number | null): string {
  if (ticks && value !== null && ticks[value] !== undefined) return indexWords({ label, ticks }, value);
  return `${label} ${amount(value, unit)}`.trim();
}

/** "0.05 logits" */
export function amount(value: number | null, unit?: ColorScale["unit"]): string {
  return value === null || Number.isNaN(value) ? MISSING : formatQuantity(value, unit);
}

/** "layer 3, head 1: 0.05 logits", under the cell's own words. */
export function cellTip(
  { x, y, color }: { readonly x?: IndexAxis; readonly y?: IndexAxis; readonly color?: ColorScale },
  row: number,
  column: number,
  value: number | null,
  own = "",
): string {
  return withOwn(own, `${indexWords(y, row)}, ${indexWords(x, column)}: ${amount(value, color?.unit)}`);
}

/** The numbers under the words of a point's own, if it has any. */
export function withOwn(own: string | undefined, numbers: string): string {
  return own ? `${own}\n${numbers}` : numbers;
}
