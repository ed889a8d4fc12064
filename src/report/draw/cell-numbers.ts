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
 * Each number in the middle of its cell, with as many digits as fit into the cells of all grids alike; nothing if not even two do. The ink
 * is named by the colour below it, so that a dark page can replace both (see style.ts).
 */
export function cellNumbers(
  grids: readonly (readonly (readonly (number | null)[])[])[],
  colors: Coloring,
  unit: string | undefined,
  boxes: readonly CellBox[],
): string[] {
  const numbers = grids.map((values) => values.flat());
  const [box] = boxes;
  const crowded = numbers.some((all) => all.length > MOST_NUMBERS) || !box || box.height < 14;
  for (const digits of crowded ? [] : [3, 2]) {
    const texts = formatShort(numbers.flat(), digits, unit);
    const size = SIZES.find((s) => largest(texts?.map((text) => textSize(text, s)) ?? [], 0) + 5 <= box.width);
    if (!texts || !size) continue;
    let from = 0;
    return numbers.map((all, g) => {
      const own = texts.slice(from, (from += all.length));
      return written(all, own, grids[g][0]?.length ?? 0, colors, size, boxes[g]);
    });
  }
  return grids.map(() => "");
}

function written(
  all: readonly (number | null)[],
  texts: readonly string[],
  columns: number,
  colors: Coloring,
  size: number,
  box: CellBox,
): string {
  const words = all.map((value, i) => {
    if (texts[i] === MISSING) return "";
    const color = colors.of(value);
    const [x, y] = [box.x + ((i % columns) + 0.5) * box.width, box.y + (Math.floor(i / columns) + 0.5) * box.height];
    return svgText(texts[i], x, y + 0.36 * size, `data-on="${color}" fill="${inkOn(color)}"`);
  });
  return `<g text-anchor="middle" font-size="${size}" pointer-events="none">${words.join("")}</g>`;
}
