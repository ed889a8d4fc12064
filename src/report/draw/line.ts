import type { LineSpec } from "../../analyses/picture.ts";
import { seriesColor } from "../color.ts";
import { formatNumber } from "../format.ts";
import { domainOf, logAxes, plotted, referenceMarks, scaleOptions } from "./axes.ts";
import type { Drawing, LegendItem } from "./drawing.ts";
import type { Plotting } from "./plotting.ts";

export function drawLine(spec: LineSpec, width: number, plotting: Plotting): Drawing {
  const { plot } = plotting;
  const { series, references = [] } = spec;
  const lines = series.map((s) =>
    s.y.map((y, i) => {
      const x = s.x?.[i] ?? i;
      const title = s.titles?.[i] ?? `${s.name ? `${s.name}: ` : ""}${formatNumber(x)}, ${formatNumber(y)}`;
      // Plot breaks a line where y is NaN, and would draw null as 0.
      return { x, y: y ?? Number.NaN, low: s.low?.[i], high: s.high?.[i], title };
    }),
  );
  const x = domainOf(
    spec.x ?? {},
    lines.flat().map((p) => p.x),
    references,
    "x",
  );
  const spread = series.flatMap((s) => [...s.y, ...(s.low ?? []), ...(s.high ?? [])]);
  const y = domainOf(spec.y, spread, references, "y");
  const rules = referenceMarks(plotting, references, x, y);
  const legend: LegendItem[] =
    series.length > 1 ? series.map((s, i) => ({ kind: "line", color: seriesColor(i), text: s.name })) : [];
  const wholeNumbers = lines.flat().every((p) => Number.isInteger(p.x)) && x[1] - x[0] < 12;

  return plotted(
    plotting,
    {
      width,
      height: spec.height ?? Math.min(340, Math.round(width * 0.7)),
      marginLeft: 60,
      marginBottom: 42,
      marginTop: 28,
      marginRight: 16,
      // Indices have no halves: at most one tick for each.
      x: {
        ...scaleOptions(spec.x, x),
        ...(wholeNumbers ? { ticks: [...new Set(lines.flat().map((p) => p.x))], tickFormat: "d" } : {}),
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
            plot.dot(points, { x: "x", y: "y", fill: color, ...dotSize(points.length), title: "title" }),
          ];
        }),
      ],
    },
    [...legend, ...rules.legend],
  );
}

/** Dots that say where the numbers are; many of them only carry what is told on hover. */
function dotSize(count: number): { readonly r: number; readonly fillOpacity?: number } {
  if (count > 250) return { r: 2, fillOpacity: 0 };
  return { r: count > 80 ? 1.5 : 3 };
}
