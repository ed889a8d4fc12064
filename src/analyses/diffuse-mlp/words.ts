/** Numbers and tokens in sentences. */

import type { Position } from "../../measures/diffuse-mlp/positions.ts";
import { quoted } from "../../tensor/words.ts";

/** “ mount” → “ains” */
export const step = (p: Position) => `${quoted(p.token)} → ${quoted(`${p.next}`)}`;

export const place = (p: Position) => `prompt ${p.prompt}, position ${p.pos}`;

export const pValue = (p: number) => (p < 0.001 ? "p < 0.001" : `p = ${p.toFixed(3)}`);
