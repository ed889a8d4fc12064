import type { ScatterSpec } from "../../analyses/picture.ts";
import { coloring, seriesColor } from "../color.ts";
import { formatNumber } from "../format.ts";
import { domainOf, logAxes, plotted, referenceMarks, scaleOptions, within } from "./axes.ts";
import type { Drawing, LegendItem } from "./drawing.ts";
import type { Plotting } from "./plotting.ts";

interface Point {
  readonly x: number;
  readonly y: number;
  readonly title: string;
  readonly label: string;
  readonly color: string;
}

export function drawScatter(spec: ScatterSpec, width: number, plotting: Plotting): Drawing {
  const { plot } = plotting;
  const { series, references = [] } = spec;
  const x = domainOf(
    spec.x,
    series.flatMap((s) => s.x),
    references,
    "x",
  );
  const y = domainOf(
    spec.y,
    series.flatMap((s) => s.y),
    references,
    "y",
  );
  const colors = series.some((s) => s.color)
    ? coloring(
        spec.color,
        series.flatMap((s) => s.color ?? []),
      )
    : undefined;

  const groups = series.map((s, g) => {
    const points: Point[] = [];
    s.x.forEach((px, i) => {
      const py = s.y[i];
      if (!within(px, x) || !within(py, y)) return;
      points.push({
        x: px,
        y: py,
        title: s.titles?.[i] ?? `${s.name ? `${s.name}: ` : ""}${formatNumber(px)}, ${formatNumber(py)}`,
        label: s.labels?.[i] ?? "",
        color: s.color && colors ? colors.of(s.color[i]) : seriesColor(g),
      });
    });
    return { name: s.name, points, outside: s.x.length - points.length };
  });

  const several = series.length > 1;
  // A crowd to compare a few points with stays in the background.
  const first = groups[0]?.points.length ?? 0;
  const crowd = several && first > 4 * (groups.reduce((sum, g) => sum + g.points.length, 0) - first);
  const lines = referenceMarks(plotting, references, x, y);
  const legend: LegendItem[] = [...lines.legend];
  if (colors) legend.unshift({ kind: "ramp", coloring: colors });
  groups.forEach((g, i) => {
    const text = `${g.name || "points"} (${g.points.length}${g.outside ? `, ${g.outside} not shown` : ""})`;
    if (several || g.outside > 0) legend.splice(i, 0, { kind: "dot", color: seriesColor(i), text });
  });

  return plotted(
    plotting,
    {
      width,
      height: spec.height ?? Math.min(420, Math.round(width * 0.8)),
      marginLeft: 60,
      marginBottom: 42,
      marginTop: 28,
      marginRight: 16,
      x: scaleOptions(spec.x, x),
      y: scaleOptions(spec.y, y),
      marks: [
        ...logAxes(plotting, spec.x, x, spec.y, y),
        ...lines.marks,
        ...groups.map((g, i) =>
          plot.dot(g.points, {
            x: "x",
            y: "y",
            fill: (p: Point) => p.color,
            fillOpacity: crowd && i === 0 ? 0.5 : 0.85,
            r: crowd && i === 0 ? 3 : 4.5,
            stroke: colors ? "currentColor" : undefined,
            strokeWidth: colors ? 0.5 : undefined,
            title: "title",
          }),
        ),
        ...groups.map((g) =>
          plot.text(
            g.points.filter((p) => p.label),
            { x: "x", y: "y", text: "label", dx: 8, textAnchor: "start", fontSize: 11 },
          ),
        ),
      ],
      color: { type: "identity" },
    },
    legend,
  );
}
