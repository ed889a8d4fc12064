/** Numbers and tokens in sentences. */
import { quoted } from "../prompt.ts";
import type { Position } from "./positions.ts";

export const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

/** “ mount” → “ains” */
export const step = (p: Position) => `${quoted(p.token)} → ${quoted(`${p.next}`)}`;

export const place = (p: Position) => `prompt ${p.prompt}, position ${p.pos}`;

export const pValue = (p: number) => (p < 0.001 ? "p < 0.001" : `p = ${p.toFixed(3)}`);

/** "a, b and c" */
export function listed(items: readonly string[]): string {
  return items.length < 2 ? items.join("") : `${items.slice(0, -1).join(", ")} and ${items.at(-1)}`;
}
