import type { RankedToken, TopkSpec } from "../../finding/picture.ts";
import { inkOn } from "../color.ts";
import { escapeMarkup } from "../escape.ts";
import { cutText, textWidth, visibleToken } from "../token-text.ts";
import { type Drawing, MONO, round, svgText } from "./drawing.ts";
import { largest } from "./limits.ts";
import { entriesOf, rankedNumbers, rankedTitle, topkColoring } from "./ranked.ts";
import { textSize } from "./text-size.ts";

const SIZE = 12;
const LETTER = SIZE * 0.602;
const ROW = 21;
const BOX = 19;
const GAP = 6;
const HEAD = 20;
/** The gap between the largest and the smallest. */
const BREAK = 14;
/** The least and the greatest width of the words at the left. */
const [SIDE, WIDEST_SIDE] = [52, 90];

/** A column for each neuron, the largest on top, the smallest below a gap; in several bands if one is too narrow. */
export function drawTopk(spec: TopkSpec, width: number): Drawing {
  const colors = topkColoring(spec);
  const all = entriesOf(spec);
  const number = rankedNumbers(spec);
  const digits =
    largest(
      all.map((entry) => number(entry.value).length),
      0,
    ) * 6.2;
  const longest = largest(
    all.map((entry) => textWidth(visibleToken(entry.token))),
    0,
  );
  const wanted = Math.max(72, Math.min(longest, 14) * LETTER + digits + 18);
  const side = Math.max(SIDE, Math.min(textSize(spec.of ?? "", 11) + 8, WIDEST_SIDE));
  const free = width - side;
  const across = Math.max(1, Math.min(spec.columns.length, Math.floor((free + GAP) / (wanted + GAP))));
  const box = Math.min(wanted + 24, (free - (across - 1) * GAP) / across);
  const tops = Math.max(0, ...spec.columns.map((column) => column.top.length));
  const bottoms = Math.max(0, ...spec.columns.map((column) => column.bottom?.length ?? 0));
  const bandHeight = HEAD + (tops + bottoms) * ROW + (tops > 0 && bottoms > 0 ? BREAK : 0) + 14;
  const second = HEAD + tops * ROW + (tops > 0 && bottoms > 0 ? BREAK : 0);

  const entry = (ranked: RankedToken, x: number, y: number) => {
    const color = colors.of(ranked.value);
    const ink = `fill="${inkOn(color)}"`;
    const room = Math.floor((box - digits - 14) / LETTER);
    const shown = cutText(visibleToken(ranked.token), Math.max(3, room));
    return (
      `<g><title>${escapeMarkup(rankedTitle(ranked, spec.color?.unit))}</title>` +
      `<rect x="${round(x)}" y="${round(y)}" width="${round(box)}" height="${BOX}" rx="2" fill="${color}"/>` +
      svgText(shown, x + 4, y + 13.5, `font-family="${MONO}" font-size="${SIZE}" ${ink} style="white-space:pre"`) +
      `${svgText(number(ranked.value), x + box - 4, y + 13.5, `font-size="11" text-anchor="end" ${ink}`)}</g>`
    );
  };
  const parts = spec.columns.flatMap((column, i) => {
    const x = side + (i % across) * (box + GAP);
    const y = Math.floor(i / across) * bandHeight;
    const bottom = column.bottom ?? [];
    const name = cutText(column.name, Math.max(3, Math.floor(box / 7)));
    return [
      svgText(name, x + 4, y + 13, `font-size="12" font-weight="600"`),
      ...column.top.map((ranked, r) => entry(ranked, x, y + HEAD + r * ROW)),
      ...bottom.map((ranked, r) => entry(ranked, x, y + second + (bottoms - bottom.length + r) * ROW)),
    ];
  });
  const bands = Math.ceil(spec.columns.length / across);
  for (let band = 0; band < bands; band++) {
    const y = band * bandHeight;
    const pale = `font-size="11" opacity="0.75"`;
    if (spec.of) parts.push(svgText(cutText(spec.of, 14), 0, y + 13, pale));
    if (tops > 0) parts.push(svgText("largest", 0, y + HEAD + 13.5, pale));
    if (bottoms > 0) parts.push(svgText("smallest", 0, y + second + (bottoms - 1) * ROW + 13.5, pale));
  }
  return {
    width,
    height: bands * bandHeight - 14,
    content: parts.join(""),
    legend: [{ kind: "ramp", coloring: colors }],
  };
}
