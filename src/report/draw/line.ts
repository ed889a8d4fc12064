import type { LineSpec, ReferenceLine } from "../../finding/picture.ts";
import { seriesColor } from "../color.ts";
import { formatNumber } from "../format.ts";
import { chartAxes, domainOf } from "./axes.ts";
import { plotted, type Scales } from "./chart.ts";
import type { Drawing, LegendItem } from "./drawing.ts";
import { areaBetween, dots, type Look, lineThrough, type Mark } from "./marks.ts";
import { referenceLabels, referenceMarks } from "./references.ts";
import { type Domain, pixelScale } from "./scales.ts";
import { thinned } from "./thinned.ts";
import { indices } from "./ticks.ts";
import { amount, valueWords, withOwn } from "./tip.ts";

/** Lines with more points than this are thinned out to the points that decide how they look. */
const MOST_POINTS = 5000;

/** The dashes of several lines, so that colour is not the only difference; the first is solid. */
const DASHES = ["", "8 3", "2 3", "10 3 2 3", "4 3", "12 3 2 3 2 3"];

interface LinePoint {
  readonly x: number;
  readonly y: number;
  readonly low: number | null | undefined;
  readonly high: number | null | undefined;
  readonly title: string;
  readonly place: string | undefined;
}

export function drawLine(spec: LineSpec, width: number): Drawing {
  const { series, references = [] } = spec;
  const crowded = series.reduce((sum, s) => sum + s.y.length, 0) > MOST_POINTS;
  const xs = series.map((s) => s.x ?? indices(s.y.length));
  const x = domainOf(spec.x ?? {}, xs.flat(), references, "x");
  const spread = series.flatMap((s) => [...s.y, ...(s.low ?? []), ...(s.high ?? [])]);
  const y = domainOf(spec.y, spread, references, "y");
  const pixel = pixelScale(spec.x?.scale, x, [0, width]);
  const lines = series.map((_, g) => {
    const all = pointsOf(spec, g, xs[g]);
    return crowded ? thinned(all.length, (i) => pixel(xs[g][i]), rowsOf(series[g])).map((i) => all[i]) : all;
  });
  const dash = (i: number) => (crowded ? "" : DASHES[i % DASHES.length]);
  const legend = series.map((s, i): LegendItem => {
    return { kind: "line", color: seriesColor(i), text: s.name, ...(dash(i) ? { dash: dash(i) } : {}) };
  });
  const height = spec.height ?? Math.min(340, Math.round(width * 0.7));
  const chart = chartAxes([spec.x, x], [spec.y, y], { width, height });
  // Indices are whole numbers: at most one tick for each.
  const whole = !spec.x?.ticks && x[1] - x[0] < 12 && xs.every((row) => row.every(Number.isInteger));

  const { drawn } = chart.x;
  const ticks = [...new Set(xs.flat())].map((at) => ({ at, text: formatNumber(at) }));
  return plotted(
    {
      ...chart,
      ...{ width, height: height + Math.max(0, chart.margins.bottom - 60) },
      x: drawn && whole ? { ...chart.x, drawn: { ...drawn, ticks } } : chart.x,
      marks: [
        ...chart.marks,
        ...referenceMarks(references, x, y),
        ...lines.flatMap((points, i) => lineMarks(series[i], points, seriesColor(i), dash(i), crowded)),
      ],
    },
    series.length > 1 ? legend : [],
    (scales) => labelled(lines, references, x, y, scales),
  );
}

function pointsOf({ series, x, y }: LineSpec, g: number, xs: readonly number[]): LinePoint[] {
  const s = series[g];
  return s.y.map((value, i) => {
    const [low, high] = [s.low?.[i], s.high?.[i]];
    const interval = low != null && high != null ? ` (${amount(low)} to ${amount(high, y?.unit)})` : "";
    const numbers = `${valueWords(x, xs[i])}, ${valueWords(y, value)}${interval}`;
    const title = s.titles?.[i] ?? withOwn(s.words?.[i], s.name ? `${s.name}: ${numbers}` : numbers);
    return { x: xs[i], y: value ?? Number.NaN, low, high, title, place: s.places?.[i] };
  });
}

function lineMarks(
  { low, high }: LineSpec["series"][number],
  points: readonly LinePoint[],
  color: string,
  dash: string,
  crowded: boolean,
): Mark[] {
  const gap = Number.NaN;
  const ends = points.map((point) => ({ x: point.x, low: point.low ?? gap, high: point.high ?? gap }));
  const stroke = { stroke: color, "stroke-width": 2, ...(dash ? { "stroke-dasharray": dash } : {}) };
  const { radius, look } = dotLook(points.length);
  return [
    ...(low && high ? [areaBetween(ends, { fill: color, "fill-opacity": 0.18 })] : []),
    lineThrough(points, stroke),
    ...(crowded ? [] : [dots(points, radius, { fill: color, ...look })]),
  ];
}

/** The reference lines' labels, away from the lines. */
function labelled(
  lines: readonly (readonly LinePoint[])[],
  references: readonly ReferenceLine[],
  x: Domain,
  y: Domain,
  scales: Scales,
): string {
  if (references.length === 0) return "";
  for (const points of lines) {
    const places = points.map((p) => [scales.x(p.x), scales.y(p.y)] as const);
    places.slice(1).forEach((to, i) => {
      if ([...to, ...places[i]].every(Number.isFinite)) scales.placing.avoidLine(places[i], to);
    });
  }
  return referenceLabels(references, x, y, scales, scales.placing);
}

function rowsOf({ y, low, high }: LineSpec["series"][number]): ((i: number) => number)[] {
  return [y, low, high].flatMap((row) => (row ? [(i: number) => row[i] ?? Number.NaN] : []));
}

/** Dots that show where the numbers are; if there are many, they only carry the hover texts. */
function dotLook(count: number): { readonly radius: number; readonly look: Look } {
  if (count > 250) return { radius: 2, look: { "fill-opacity": 0 } };
  return { radius: count > 80 ? 1.5 : 3, look: {} };
}
