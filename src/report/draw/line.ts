import type { Axis, LineSpec, ReferenceLine } from "../../finding/picture.ts";
import { seriesColor } from "../color.ts";
import { atPlaces } from "./at-places.ts";
import { chartAxes, type Domain, domainOf, plotted, type Scales, scaleOptions } from "./axes.ts";
import type { Drawing, LegendItem } from "./drawing.ts";
import type { Plotting } from "./plotting.ts";
import { referenceLabels, referenceMarks } from "./references.ts";
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

export function drawLine(spec: LineSpec, width: number, plotting: Plotting): Drawing {
  const { series, references = [] } = spec;
  const crowded = series.reduce((sum, s) => sum + s.y.length, 0) > MOST_POINTS;
  const xs = series.map((s) => s.x ?? indices(s.y.length));
  const x = domainOf(spec.x ?? {}, xs.flat(), references, "x");
  const spread = series.flatMap((s) => [...s.y, ...(s.low ?? []), ...(s.high ?? [])]);
  const y = domainOf(spec.y, spread, references, "y");
  const lines = series.map((_, g) => {
    const all = pointsOf(spec, g, xs[g]);
    return crowded ? thinned(all.length, pixelOf(xs[g], spec.x, x, width), rowsOf(series[g])).map((i) => all[i]) : all;
  });
  const dash = (i: number) => (crowded ? "" : DASHES[i % DASHES.length]);
  const legend = series.map((s, i): LegendItem => {
    return { kind: "line", color: seriesColor(i), text: s.name, ...(dash(i) ? { dash: dash(i) } : {}) };
  });
  const height = spec.height ?? Math.min(340, Math.round(width * 0.7));
  const { margins, marks } = chartAxes(plotting, [spec.x, x], [spec.y, y], { width, height });
  // Indices are whole numbers: at most one tick for each.
  const whole = !spec.x?.ticks && x[1] - x[0] < 12 && xs.every((row) => row.every(Number.isInteger));

  return plotted(
    plotting,
    {
      ...{ width, height: height + Math.max(0, margins.marginBottom - 60), ...margins },
      x: { ...scaleOptions(spec.x, x), ...(whole ? { ticks: [...new Set(xs.flat())], tickFormat: "d" } : {}) },
      y: scaleOptions(spec.y, y),
      marks: [
        ...marks,
        ...referenceMarks(plotting, references, x, y),
        ...lines.flatMap((points, i) => lineMarks(plotting, series[i], points, seriesColor(i), dash(i), crowded)),
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
    // Plot breaks a line where y is NaN, but would draw null as 0.
    return { x: xs[i], y: value ?? Number.NaN, low, high, title, place: s.places?.[i] };
  });
}

function lineMarks(
  { plot }: Plotting,
  { low, high }: LineSpec["series"][number],
  points: readonly LinePoint[],
  color: string,
  dash: string,
  crowded: boolean,
) {
  const x = "x";
  const stroke = { stroke: color, strokeWidth: 2, strokeLinejoin: "round", ...(dash ? { strokeDasharray: dash } : {}) };
  const band = low && high ? [plot.areaY(points, { x, y1: "low", y2: "high", fill: color, fillOpacity: 0.18 })] : [];
  const dots = crowded
    ? []
    : [plot.dot(points, { x, y: "y", fill: color, ...dotSize(points.length), title: "title", ...atPlaces(points) })];
  return [...band, plot.line(points, { x, y: "y", ...stroke } as const), ...dots];
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

/** The approximate position of a point, in pixels. */
function pixelOf(xs: readonly number[], axis: Axis | undefined, [low, high]: Domain, width: number) {
  const bent = { linear: (v: number) => v, log: Math.log, symlog: Math.asinh }[axis?.scale ?? "linear"];
  const scale = width / (bent(high) - bent(low) || 1);
  return (i: number) => (bent(xs[i]) - bent(low)) * scale;
}

function rowsOf({ y, low, high }: LineSpec["series"][number]): ((i: number) => number)[] {
  return [y, low, high].flatMap((row) => (row ? [(i: number) => row[i] ?? Number.NaN] : []));
}

/** Dots that show where the numbers are; if there are many, they only carry the hover texts. */
function dotSize(count: number): { readonly r: number; readonly fillOpacity?: number } {
  if (count > 250) return { r: 2, fillOpacity: 0 };
  return { r: count > 80 ? 1.5 : 3 };
}
