/** Numbers in the cells of a heatmap that has few of them. */
import type { Coloring } from "../color.ts";
import { inkOn } from "../color.ts";
import { formatShort, MISSING } from "../format.ts";
import type { CellBox } from "./cells.ts";
import { svgText } from "./drawing.ts";
import { largest } from "./limits.ts";
import { textSize } from "./text-size.ts";

/** With more cells than this, numbers are only in their tips. */
const MOST_NUMBERS = 150;
const SIZES = [11, 9.5];

/**
 * Each number in the middle of its cell, with as many digits as fit; nothing if not even two do. The ink is named by the colour below it,
 * so that a dark page can replace both (see style.ts).
 */
export function cellNumbers(
  values: readonly (readonly (number | null)[])[],
  colors: Coloring,
  unit: string | undefined,
  box: CellBox,
): string {
  const all = values.flat();
  if (all.length > MOST_NUMBERS || box.height < 14) return "";
  for (const digits of [3, 2]) {
    const texts = formatShort(all, digits, unit);
    const size = SIZES.find((s) => largest(texts?.map((text) => textSize(text, s)) ?? [], 0) + 5 <= box.width);
    if (!texts || !size) continue;
    const columns = values[0].length;
    const written = all.map((value, i) => {
      if (texts[i] === MISSING) return "";
      const color = colors.of(value);
      const [x, y] = [box.x + ((i % columns) + 0.5) * box.width, box.y + (Math.floor(i / columns) + 0.5) * box.height];
      return svgText(texts[i], x, y + 0.36 * size, `data-on="${color}" fill="${inkOn(color)}"`);
    });
    return `<g text-anchor="middle" font-size="${size}" pointer-events="none">${written.join("")}</g>`;
  }
  return "";
}
