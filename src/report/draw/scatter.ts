import type { ScatterSpec } from "../../finding/picture.ts";
import { coloring, seriesColor } from "../color.ts";
import { formatNumber } from "../format.ts";
import { domainOf, logAxes, plotted, referenceMarks, scaleOptions, within } from "./axes.ts";
import type { Drawing, LegendItem } from "./drawing.ts";
import { atMost } from "./limits.ts";
import type { Plotting } from "./plotting.ts";

interface Point {
  readonly x: number;
  readonly y: number;
  readonly title: string;
  readonly label: string;
  readonly color: string;
}

/** With more points than this, points do not get separate nodes and hover texts. */
const MOST_NODES = 5000;
const MOST_LABELS = 2000;

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

  const crowded = series.reduce((sum, s) => sum + s.x.length, 0) > MOST_NODES;
  const groups = series.map((s, g) => {
    const points: Point[] = [];
    s.x.forEach((px, i) => {
      const py = s.y[i];
      if (!within(px, x) || !within(py, y)) return;
      points.push({
        x: px,
        y: py,
        title: crowded
          ? ""
          : (s.titles?.[i] ?? `${s.name ? `${s.name}: ` : ""}${formatNumber(px)}, ${formatNumber(py)}`),
        label: s.labels?.[i] ?? "",
        color: s.color && colors ? colors.of(s.color[i]) : seriesColor(g),
      });
    });
    return { name: s.name, points, outside: s.x.length - points.length };
  });

  const several = series.length > 1;
  // A large series that a few points are compared with stays in the background.
  const first = groups[0]?.points.length ?? 0;
  const crowd = several && first > 4 * (groups.reduce((sum, g) => sum + g.points.length, 0) - first);
  const lines = referenceMarks(plotting, references, x, y);
  const legend: LegendItem[] = [...lines.legend];
  if (colors) legend.unshift({ kind: "ramp", coloring: colors });
  groups.forEach((g, i) => {
    const text = `${g.name || "points"} (${g.points.length}${g.outside ? `, ${g.outside} not shown` : ""})`;
    if (several || g.outside > 0) legend.splice(i, 0, { kind: "dot", color: seriesColor(i), text });
  });

  const labelled = groups.map((g) => g.points.filter((p) => p.label));
  const labels = labelled.reduce((sum, points) => sum + points.length, 0);
  atMost(MOST_LABELS, labels, "labels next to points", "leave most of the labels empty");
  const radius = (group: number) => (crowd && group === 0 ? 3 : 4.5);
  const opacity = (group: number) => (crowd && group === 0 ? 0.5 : 0.85);

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
        ...(crowded ? [] : groups).map((g, i) =>
          plot.dot(g.points, {
            x: "x",
            y: "y",
            fill: (p: Point) => p.color,
            fillOpacity: opacity(i),
            r: radius(i),
            ...(colors ? { stroke: "currentColor", strokeWidth: 0.5 } : {}),
            title: "title",
          }),
        ),
        ...labelled.map((points) =>
          plot.text(points, { x: "x", y: "y", text: "label", dx: 8, textAnchor: "start", fontSize: 11 }),
        ),
      ],
      color: { type: "identity" },
    },
    legend,
    (scale) => (crowded ? groups.map((g, i) => dots(g.points, radius(i), opacity(i), scale)).join("") : ""),
  );
}

/** A path for each colour, with a zero-length dot for each point; only one of the points within the same half pixel. */
function dots(
  points: readonly Point[],
  radius: number,
  opacity: number,
  scale: (axis: "x" | "y", value: number) => number,
): string {
  const half = (value: number) => Math.round(2 * value) / 2;
  const places = new Map<string, Set<string>>();
  for (const { x, y, color } of points) {
    const place = `M${half(scale("x", x))} ${half(scale("y", y))}h0`;
    const found = places.get(color);
    if (found) found.add(place);
    else places.set(color, new Set([place]));
  }
  return [...places]
    .map(
      ([color, set]) =>
        `<path class="dots" fill="none" stroke="${color}" stroke-opacity="${opacity}" stroke-width="${2 * radius}" stroke-linecap="round" d="${[...set].join("")}"/>`,
    )
    .join("");
}
