import type { LogitLensCell, LogitLensSpec } from "../../finding/picture.ts";
import { inkOn } from "../color.ts";
import { escapeMarkup } from "../escape.ts";
import { MISSING } from "../format.ts";
import { cutText, visibleToken } from "../token-text.ts";
import { type Drawing, MONO, round, svgText } from "./drawing.ts";
import { isRight, type LensColors, lensColors, lensLegend, lensTitle, shortProbability } from "./lens-cells.ts";
import { columnTickHeight, columnTicks, leftTicks, slantedReach, tickLabels, widest } from "./ticks.ts";

const ROW = 31;
const NARROWEST = 40;
const WIDEST = 84;
const SIZE = 9.5;
const LETTER = SIZE * 0.602;
const LONGEST_LABEL = 16;
const GAP = 22;

/** Rows of layers, the last on top, with the prompt below and the next tokens above; in bands if the text is long. */
export function drawLogitLens(spec: LogitLensSpec, width: number): Drawing {
  const colors = lensColors(spec);
  const names = spec.layers.map((layer) => layer.name).reverse();
  const shownNames = tickLabels(names, names.length, LONGEST_LABEL);
  const count = spec.tokens.length;
  const below = tickLabels(spec.tokens, count, LONGEST_LABEL);
  const above =
    spec.next &&
    tickLabels(
      spec.next.map((token) => token ?? MISSING),
      count,
      LONGEST_LABEL,
    );
  // Slanted labels extend beyond the first and the last column.
  const left = Math.max(widest(shownNames) + 8, 36, slantedReach(below[0], NARROWEST));
  const right = above ? slantedReach(above[count - 1], NARROWEST) : 0;
  const bands = Math.max(1, Math.ceil((count * NARROWEST) / Math.max(NARROWEST, width - left - right)));
  const perBand = Math.ceil(count / bands);
  const box = Math.min(WIDEST, (width - left - right) / Math.max(1, perBand));

  const parts: string[] = [];
  let y = 0;
  for (let from = 0; from < count; from += perBand) {
    const to = Math.min(count, from + perBand);
    const side = `font-size="11" opacity="0.75" text-anchor="end"`;
    if (above) {
      const labels = above.slice(from, to);
      y += columnTickHeight(labels, box);
      parts.push(columnTicks(labels, left, y, box, { above: true }), svgText("next", left - 6, y - 6, side));
    }
    parts.push(leftTicks(shownNames, left - 6, y, ROW));
    names.forEach((_, row) => {
      const layer = names.length - 1 - row;
      for (let pos = from; pos < to; pos++) {
        const at = { x: left + (pos - from) * box, y: y + row * ROW };
        parts.push(drawCell(spec.layers[layer].cells[pos], lensTitle(spec, layer, pos), at, box, colors));
      }
    });
    y += names.length * ROW;
    const labels = below.slice(from, to);
    parts.push(columnTicks(labels, left, y, box), svgText("reads", left - 6, y + 14, side));
    y += columnTickHeight(labels, box) + GAP;
  }
  return { width, height: y - GAP, content: parts.join(""), legend: lensLegend(colors, spec) };
}

function drawCell(
  cell: LogitLensCell,
  title: string,
  { x, y }: { x: number; y: number },
  box: number,
  colors: LensColors,
): string {
  const color = colors.coloring.of(colors.of(cell));
  const style = `text-anchor="middle" fill="${inkOn(color)}"`;
  const [top] = cell.top;
  const token = top ? cutText(visibleToken(top.token), Math.floor((box - 3) / LETTER)) : "";
  const middle = x + box / 2;
  const edge = isRight(cell)
    ? `<rect x="${round(x + 1.5)}" y="${round(y + 1.5)}" width="${round(box - 3)}" height="${ROW - 3}" rx="1" fill="none" stroke="currentColor" stroke-width="1.5"/>`
    : "";
  return (
    `<g><title>${escapeMarkup(title)}</title>` +
    `<rect x="${round(x + 0.5)}" y="${round(y + 0.5)}" width="${round(box - 1)}" height="${ROW - 1}" fill="${color}"/>` +
    svgText(token, middle, y + 14, `${style} font-family="${MONO}" font-size="${SIZE}"`) +
    svgText(top ? shortProbability(top.probability) : "", middle, y + 25.5, `${style} font-size="9"`) +
    `${edge}</g>`
  );
}
