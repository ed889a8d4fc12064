import type { RankedToken, TopkSpec } from "../../finding/picture.ts";
import { fixed } from "../../tensor/words.ts";
import { type Coloring, coloring, inkOn } from "../color.ts";
import { escapeMarkup } from "../escape.ts";
import { formatNumber, formatQuantity } from "../format.ts";
import { cutText, textWidth, visibleToken } from "../token-text.ts";
import { type Drawing, MONO, round, svgText } from "./drawing.ts";
import { atMost, largest } from "./limits.ts";
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

/** Numbers with more decimals are rounded: their tips have all digits. */
const MOST_DECIMALS = 3;

/** The most tokens in a table of ranked tokens. */
const MOST_ENTRIES = 100_000;

/** @throws ArgumentError for more tokens than a picture shows */
export function topkColoring(spec: TopkSpec): Coloring {
  const all = entriesOf(spec);
  atMost(MOST_ENTRIES, all.length, "ranked tokens", "take a smaller k, or fewer columns");
  return coloring(
    { label: "value", ...spec.color },
    all.map((entry) => entry.value),
  );
}

/** How all the numbers of a picture are written: with the decimals that three digits of the smallest ones have, so that decimal points line up. */
export function rankedNumbers(spec: TopkSpec): (value: number) => string {
  const short = (value: number) => formatNumber(value, 3);
  const texts = entriesOf(spec).map(({ value }) => short(value));
  if (texts.some((text) => /[e∞–]/.test(text))) return short;
  const decimals = largest(
    texts.map((text) => text.split(".")[1]?.length ?? 0),
    0,
  );
  return (value) => fixed(value, Math.min(decimals, MOST_DECIMALS));
}

function entriesOf({ columns }: TopkSpec): RankedToken[] {
  return columns.flatMap(({ top, bottom = [] }) => [...top, ...bottom]);
}

/** The tip of a token. */
export function rankedTitle({ token, value, pos }: RankedToken, unit: string | undefined): string {
  const where = pos === undefined ? "" : ` at position ${pos}`;
  return `“${visibleToken(token)}”${where}: ${formatQuantity(value, unit)}`;
}

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
