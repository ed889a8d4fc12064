import type { BarSpec, ReferenceLine } from "../../finding/picture.ts";
import { seriesColor } from "../color.ts";
import { formatShort } from "../format.ts";
import { chartAxes, domainOf } from "./axes.ts";
import { categoryTicks } from "./categories.ts";
import { plotted, type Scales } from "./chart.ts";
import { type Drawing, type LegendItem, svgText } from "./drawing.ts";
import { atMost, largest } from "./limits.ts";
import { type Mark, rects, rules, type Sides } from "./marks.ts";
import { referenceLabels, referenceMarks } from "./references.ts";
import type { Domain } from "./scales.ts";
import { textSize } from "./text-size.ts";
import { indices } from "./ticks.ts";
import { amount, indexWords, valueWords, withOwn } from "./tip.ts";

const MOST_BARS = 2000;
/** The height of a lying bar or group, and of each bar in a group. */
const ROW = 22;
const GROUP_ROW = 13;
/** The part of a place that is free between bars. */
const FREE = 0.22;
const VALUE_SIZE = 10.5;

interface Bar {
  /** Where it stands: its sides along the axis of names. */
  readonly a1: number;
  readonly a2: number;
  readonly from: number;
  readonly to: number;
  readonly low: number | null;
  readonly high: number | null;
  /** What is written at its end. */
  readonly value: number;
  readonly color: string;
  readonly opacity: number;
  readonly title: string;
  readonly place: string | undefined;
}

/** Bars that stand, or lie if their names need it; a waterfall's bars begin where the one before ended. */
export function drawBar(spec: BarSpec, width: number): Drawing {
  const { references = [] } = spec;
  const places = Math.max(0, ...spec.series.map((s) => s.values.length)) + (spec.total === undefined ? 0 : 1);
  atMost(MOST_BARS, places * spec.series.length, "bars", "show the largest, or a histogram");
  const own = indices(places).map((i) => spec.x?.ticks?.[i] ?? String(i));
  const ticks = spec.total === undefined ? own : [...own.slice(0, -1), spec.total];
  const lying = spec.horizontal ?? categoryTicks(ticks, (width - 80) / Math.max(1, places)).turn !== 0;
  const bars = spec.total === undefined ? grouped(spec) : waterfall(spec, spec.total);
  const shown = shortValues(spec, bars, lying, (width - 80) / Math.max(1, places));
  const value = valueDomain(spec, bars, shown, lying ? width * 0.6 : 260);
  const place: Domain = lying ? [places - 0.5, -0.5] : [-0.5, places - 0.5];
  const row = Math.max(ROW, spec.series.length * GROUP_ROW + 8);
  const names = { label: spec.x?.label ?? "", ticks };
  const axes = lying ? ([spec.y, value, names, place] as const) : ([names, place, spec.y, value] as const);
  const height = spec.height ?? (lying ? places * row + 70 : Math.min(340, Math.round(width * 0.7)));
  const frame = chartAxes([axes[0], axes[1]], [axes[2], axes[3]], { width, height });
  const turned = references.map((line): ReferenceLine => (lying && line.kind === "y" ? { ...line, kind: "x" } : line));
  const [x, y] = [axes[1], axes[3]];
  return plotted(
    {
      ...frame,
      ...{ width, height: height + (lying ? 0 : Math.max(0, frame.margins.bottom - 60)) },
      marks: [...frame.marks, ...barMarks(bars, lying, spec.total !== undefined), ...referenceMarks(turned, x, y)],
    },
    legendOf(spec, bars),
    (scales) => labelled(bars, shown, turned, lying, [x, y], scales),
  );
}

/** Where a series' bar stands in its place. */
function sides(i: number, g: number, count: number): { a1: number; a2: number } {
  const each = (1 - FREE) / count;
  const a1 = i - 0.5 + FREE / 2 + g * each;
  return { a1, a2: a1 + each };
}

function grouped(spec: BarSpec): Bar[] {
  return spec.series.flatMap((s, g) =>
    s.values.flatMap((to, i): Bar[] => {
      if (to === null) return [];
      const [low, high] = [s.low?.[i] ?? null, s.high?.[i] ?? null];
      const interval = low !== null && high !== null ? ` (${amount(low)} to ${amount(high, spec.y?.unit)})` : "";
      const name = [indexWords(spec.x, i), s.name].filter(Boolean).join(", ");
      const title = s.titles?.[i] ?? withOwn(s.words?.[i], `${name}: ${valueWords(spec.y, to)}${interval}`);
      const at = { ...sides(i, g, spec.series.length), from: 0, to, low, high, value: to, place: s.places?.[i] };
      return [{ ...at, color: seriesColor(g), opacity: 0.85, title }];
    }),
  );
}

function waterfall({ series: [s], x, y }: BarSpec, total: string): Bar[] {
  const rest = { low: null, high: null };
  let sum = 0;
  const bars = (s?.values ?? []).flatMap((value, i): Bar[] => {
    if (value === null) return [];
    const from = sum;
    sum += value;
    const numbers = `${indexWords(x, i)}: ${amount(value, y?.unit)}\nsum so far: ${amount(sum, y?.unit)}`;
    const look = {
      color: seriesColor(value < 0 ? 1 : 0),
      opacity: 0.85,
      title: s?.titles?.[i] ?? withOwn(s?.words?.[i], numbers),
      place: s?.places?.[i],
    };
    return [{ ...sides(i, 0, 1), ...rest, ...look, from, to: sum, value }];
  });
  const look = { color: "currentColor", opacity: 0.55, title: `${total}: ${amount(sum, y?.unit)}`, place: undefined };
  return [...bars, { ...sides(s?.values.length ?? 0, 0, 1), ...rest, ...look, from: 0, to: sum, value: sum }];
}

/** The numbers at the bars' ends, if there is room for them: for one series without intervals. */
function shortValues(spec: BarSpec, bars: readonly Bar[], lying: boolean, pitch: number): string[] | undefined {
  if (spec.series.length > 1 || bars.length > 60 || bars.some((bar) => bar.low !== null)) return undefined;
  const texts = formatShort(
    bars.map((bar) => bar.value),
    3,
    spec.y?.unit,
  );
  const widest = largest(texts?.map((text) => textSize(text, VALUE_SIZE)) ?? [], 0);
  return lying || widest <= pitch ? texts : undefined;
}

/** From 0 to the bars' ends, with room for the numbers there. @param length of the axis in pixels, about */
function valueDomain(
  spec: BarSpec,
  bars: readonly Bar[],
  shown: readonly string[] | undefined,
  length: number,
): Domain {
  if (spec.y?.domain) return spec.y.domain;
  const ends = bars.flatMap(({ from, to, low, high }) => [from, to, low, high]);
  const [low, high] = domainOf(undefined, [0, ...ends], spec.references ?? [], "y");
  const room = shown
    ? largest(
        shown.map((text) => textSize(text, VALUE_SIZE)),
        0,
      ) / length
    : 0;
  const span = high - low;
  const least = ends.reduce<number>((a, b) => Math.min(a, b ?? 0), 0);
  return [least < 0 ? low - room * span : Math.min(0, least), high + room * span];
}

function barMarks(bars: readonly Bar[], lying: boolean, connected: boolean): Mark[] {
  const sides = (a1: number, a2: number, from: number, to: number): Sides =>
    lying ? { x1: from, x2: to, y1: a1, y2: a2 } : { x1: a1, x2: a2, y1: from, y2: to };
  const boxes = bars.map(({ a1, a2, from, to, color, opacity, title, place }) => {
    return { ...sides(a1, a2, from, to), title, place, look: { fill: color, "fill-opacity": opacity } };
  });
  const intervals = bars.flatMap(({ a1, a2, low, high }) =>
    low === null || high === null ? [] : [sides((a1 + a2) / 2, (a1 + a2) / 2, low, high)],
  );
  const between = bars.slice(1).map(({ a1 }, i) => sides(bars[i].a2, a1, bars[i].to, bars[i].to));
  const ink = { stroke: "currentColor" };
  return [
    rects(boxes, {}),
    rules([lying ? { x1: 0, x2: 0 } : { y1: 0, y2: 0 }], ink),
    rules(intervals, { ...ink, "stroke-width": 1.5 }),
    rules(connected ? between : [], { ...ink, "stroke-opacity": 0.5 }),
  ];
}

function legendOf({ series, total }: BarSpec, bars: readonly Bar[]): LegendItem[] {
  const item = (i: number, text: string): LegendItem => ({ kind: "area", color: seriesColor(i), text });
  if (total === undefined) return series.length > 1 ? series.map((s, i) => item(i, s.name)) : [];
  return bars.some((bar) => bar.value < 0) ? [item(0, "adds"), item(1, "subtracts")] : [];
}

/** The numbers at the bars' ends, and the reference lines' labels where they cover neither them nor bars. */
function labelled(
  bars: readonly Bar[],
  shown: readonly string[] | undefined,
  references: readonly ReferenceLine[],
  lying: boolean,
  [x, y]: readonly [Domain, Domain],
  scales: Scales,
): string {
  const along = lying ? scales.y : scales.x;
  const across = lying ? scales.x : scales.y;
  const numbers = bars.map((bar, i) => {
    const [middle, half] = [(along(bar.a1) + along(bar.a2)) / 2, Math.abs(along(bar.a2) - along(bar.a1)) / 2];
    const [from, to] = [across(bar.from), across(bar.to)];
    const box = { x: Math.min(from, to), width: Math.abs(to - from), y: middle - half, height: 2 * half };
    const upright = { x: middle - half, width: 2 * half, y: Math.min(from, to), height: Math.abs(to - from) };
    scales.placing.avoid(lying ? box : upright);
    if (!shown) return "";
    const width = textSize(shown[i], VALUE_SIZE);
    // A waterfall's numbers all stand on the far side, where the next bar does not begin.
    const back = bar.value < 0 && bar.from === 0;
    const end = back ? Math.min(bar.from, bar.to) : Math.max(bar.from, bar.to);
    const at = across(end) + (lying ? (back ? -4 - width : 4) : back ? 11 : -4);
    const [left, base] = lying ? [at, middle + 3.5] : [middle - width / 2, at];
    scales.placing.avoid({ x: left, y: base - 9, width, height: 11 }, 4);
    return svgText(shown[i], left + width / 2, base, `font-size="${VALUE_SIZE}" text-anchor="middle"`);
  });
  return numbers.join("") + referenceLabels(references, x, y, scales, scales.placing);
}
