import type { Axis, LineSpec } from "../../finding/picture.ts";
import { seriesColor } from "../color.ts";
import { formatNumber } from "../format.ts";
import { type Domain, domainOf, logAxes, plotted, referenceMarks, scaleOptions } from "./axes.ts";
import type { Drawing, LegendItem } from "./drawing.ts";
import type { Plotting } from "./plotting.ts";
import { thinned } from "./thinned.ts";
import { indices } from "./ticks.ts";

/** Lines with more points than this are thinned out to the points that decide how they look. */
const MOST_POINTS = 5000;

export function drawLine(spec: LineSpec, width: number, plotting: Plotting): Drawing {
  const { plot } = plotting;
  const { series, references = [] } = spec;
  const crowded = series.reduce((sum, s) => sum + s.y.length, 0) > MOST_POINTS;
  const xs = series.map((s) => s.x ?? indices(s.y.length));
  const x = domainOf(spec.x ?? {}, xs.flat(), references, "x");
  const spread = series.flatMap((s) => [...s.y, ...(s.low ?? []), ...(s.high ?? [])]);
  const y = domainOf(spec.y, spread, references, "y");
  const lines = series.map((s, g) => {
    const point = (i: number) => {
      const at = xs[g][i];
      const value = s.y[i];
      const title = s.titles?.[i] ?? `${s.name ? `${s.name}: ` : ""}${formatNumber(at)}, ${formatNumber(value)}`;
      // Plot breaks a line where y is NaN, but would draw null as 0.
      return { x: at, y: value ?? Number.NaN, low: s.low?.[i], high: s.high?.[i], title };
    };
    const chosen = crowded ? thinned(s.y.length, pixelOf(xs[g], spec.x, x, width), rowsOf(s)) : indices(s.y.length);
    return chosen.map(point);
  });
  const rules = referenceMarks(plotting, references, x, y);
  const legend: LegendItem[] =
    series.length > 1 ? series.map((s, i) => ({ kind: "line", color: seriesColor(i), text: s.name })) : [];
  const wholeNumbers = x[1] - x[0] < 12 && xs.every((row) => row.every(Number.isInteger));

  return plotted(
    plotting,
    {
      width,
      height: spec.height ?? Math.min(340, Math.round(width * 0.7)),
      marginLeft: 60,
      marginBottom: 42,
      marginTop: 28,
      marginRight: 16,
      // Indices are whole numbers: at most one tick for each.
      x: {
        ...scaleOptions(spec.x, x),
        ...(wholeNumbers ? { ticks: [...new Set(xs.flat())], tickFormat: "d" } : {}),
      },
      y: scaleOptions(spec.y, y),
      marks: [
        ...logAxes(plotting, spec.x, x, spec.y, y),
        ...rules.marks,
        ...lines.flatMap((points, i) => {
          const color = seriesColor(i);
          const band = series[i].low && series[i].high;
          return [
            ...(band ? [plot.areaY(points, { x: "x", y1: "low", y2: "high", fill: color, fillOpacity: 0.18 })] : []),
            plot.line(points, { x: "x", y: "y", stroke: color, strokeWidth: 2, strokeLinejoin: "round" }),
            ...(crowded
              ? []
              : [plot.dot(points, { x: "x", y: "y", fill: color, ...dotSize(points.length), title: "title" })]),
          ];
        }),
      ],
    },
    [...legend, ...rules.legend],
  );
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
