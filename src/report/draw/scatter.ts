import type { Axis, ReferenceLine, ScatterSpec } from "../../finding/picture.ts";
import { type Coloring, coloring, seriesColor } from "../color.ts";
import { chartAxes, domainOf, within } from "./axes.ts";
import { type ChartAxis, plotted, type Scales } from "./chart.ts";
import type { Drawing, LegendItem } from "./drawing.ts";
import { atMost } from "./limits.ts";
import { dots } from "./marks.ts";
import { type PointLabel, pointLabels } from "./point-labels.ts";
import { avoidReferences, referenceLabels, referenceMarks } from "./references.ts";
import type { Domain } from "./scales.ts";
import { valueWords, withOwn } from "./tip.ts";

interface Point {
  readonly x: number;
  readonly y: number;
  readonly title: string;
  readonly place: string | undefined;
  readonly label: string;
  readonly color: string;
}

interface Group {
  readonly name: string;
  readonly points: readonly Point[];
  readonly outside: number;
  readonly radius: number;
  readonly opacity: number;
}

/** With more points than this, points do not get separate nodes and hover texts. */
const MOST_NODES = 5000;
const MOST_LABELS = 2000;
/** Words this near to a point seem to be its label. */
const BESIDE = 28;
/** The longest side of a square chart. */
const SQUARE = 440;

export function drawScatter(spec: ScatterSpec, width: number): Drawing {
  const { series, references = [] } = spec;
  const colors = series.some((s) => s.color)
    ? coloring(
        spec.color,
        series.flatMap((s) => s.color ?? []),
      )
    : undefined;
  const { x, y, square } = domains(spec);
  const crowded = series.reduce((sum, s) => sum + s.x.length, 0) > MOST_NODES;
  const groups = groupsOf(spec, x, y, colors, crowded);
  const labels = groups.reduce((sum, { points }) => sum + points.filter((p) => p.label).length, 0);
  atMost(MOST_LABELS, labels, "labels next to points", "leave most of the labels empty");

  const height = spec.height ?? Math.min(420, Math.round(width * 0.8));
  const chart = chartAxes([spec.x, x], [spec.y, y], { width, height });
  const { left, right, top, bottom } = chart.margins;
  const side = Math.min(SQUARE, width - left - right);
  const size = square
    ? { width: side + left + right, height: side + top + bottom }
    : { width, height: height + Math.max(0, bottom - 60) };
  // The same numbers at both axes of a square.
  const alike = ({ drawn, ...axis }: ChartAxis): ChartAxis =>
    drawn && square && !drawn.ticks
      ? { ...axis, drawn: { ...drawn, ticks: side / 60 } }
      : { ...axis, ...(drawn && { drawn }) };
  const drawing = plotted(
    {
      ...{ ...size, margins: chart.margins, x: alike(chart.x), y: alike(chart.y) },
      marks: [
        ...chart.marks,
        ...referenceMarks(references, x, y),
        ...(crowded ? [] : groups).map(({ points, radius, opacity }) => {
          const edge = colors ? { stroke: "currentColor", "stroke-width": 0.5 } : {};
          const colored = points.map((point) => ({ ...point, look: { fill: point.color } }));
          return dots(colored, radius, { "fill-opacity": opacity, ...edge });
        }),
      ],
    },
    legendOf(groups, colors),
    (scales) =>
      (crowded ? groups.map((g) => pixelDots(g.points, g.radius, g.opacity, scales)).join("") : "") +
      labelled(groups, references, x, y, scales),
  );
  return { ...drawing, width };
}

/** The domains of both axes: the same, and the chart a square, if a line says where both are equal. */
function domains({ series, references = [], height, ...axes }: ScatterSpec) {
  const of = (axis: Axis | undefined, across: "x" | "y") =>
    domainOf(
      axis,
      series.flatMap((s) => s[across]),
      references,
      across,
    );
  const [x, y] = [of(axes.x, "x"), of(axes.y, "y")];
  const equal = references.some((line) => line.kind === "slope" && line.slope === 1 && !line.intercept);
  const free = !axes.x?.domain && !axes.y?.domain && !axes.x?.ticks && !axes.y?.ticks && height === undefined;
  const square = equal && free && (axes.x?.scale ?? "linear") === (axes.y?.scale ?? "linear");
  if (!square) return { x, y, square };
  const both: Domain = [Math.min(x[0], y[0]), Math.max(x[1], y[1])];
  return { x: both, y: both, square };
}

function groupsOf(spec: ScatterSpec, x: Domain, y: Domain, colors: Coloring | undefined, crowded: boolean): Group[] {
  const groups = spec.series.map((s, g) => {
    const points: Point[] = [];
    s.x.forEach((px, i) => {
      const py = s.y[i];
      if (!within(px, x) || !within(py, y)) return;
      const color = s.color?.[i] ?? null;
      const value = s.color ? `, ${valueWords(spec.color, color)}` : "";
      const numbers = `${valueWords(spec.x, px)}, ${valueWords(spec.y, py)}${value}`;
      points.push({
        ...{ x: px, y: py, label: s.labels?.[i] ?? "", place: s.places?.[i] },
        title: crowded ? "" : (s.titles?.[i] ?? withOwn(s.words?.[i] ?? s.name, numbers)),
        color: s.color && colors ? colors.of(color) : seriesColor(g),
      });
    });
    return { name: s.name, points, outside: s.x.length - points.length };
  });
  // A large series that a few points are compared with stays in the background.
  const first = groups[0]?.points.length ?? 0;
  const crowd = groups.length > 1 && first > 4 * (groups.reduce((sum, g) => sum + g.points.length, 0) - first);
  return groups.map((group, g) =>
    crowd && g === 0 ? { ...group, radius: 3, opacity: 0.5 } : { ...group, radius: 4.5, opacity: 0.85 },
  );
}

function legendOf(groups: readonly Group[], colors: Coloring | undefined): LegendItem[] {
  const dots = groups.flatMap((g, i): LegendItem[] => {
    const text = `${g.name || "points"} (${g.points.length}${g.outside ? `, ${g.outside} not shown` : ""})`;
    return groups.length > 1 || g.outside > 0 ? [{ kind: "dot", color: seriesColor(i), text }] : [];
  });
  return colors ? [...dots, { kind: "ramp", coloring: colors }] : dots;
}

/** The labels of reference lines and of points: on no point and on no other label. */
function labelled(
  groups: readonly Group[],
  references: readonly ReferenceLine[],
  x: Domain,
  y: Domain,
  scales: Scales,
): string {
  const shown: PointLabel[] = [];
  for (const { points, radius, opacity } of groups) {
    for (const point of points) {
      const [px, py] = [scales.x(point.x), scales.y(point.y)];
      const box = { x: px - radius, y: py - radius, width: 2 * radius, height: 2 * radius };
      scales.placing.avoid(box, opacity < 0.8 ? 1 : 2);
      if (point.label) shown.push({ x: px, y: py, radius, text: point.label });
    }
  }
  avoidReferences(references, x, y, scales, scales.placing);
  const words = pointLabels(shown, scales.placing);
  // A line's label next to a point would pass for the point's.
  for (const { x: px, y: py } of shown) {
    scales.placing.avoid({ x: px - BESIDE, y: py - BESIDE / 2, width: 2 * BESIDE, height: BESIDE }, 2);
  }
  return referenceLabels(references, x, y, scales, scales.placing) + words;
}

/** A path for each colour, with a zero-length dot for each point; only one of the points within the same half pixel. */
function pixelDots(points: readonly Point[], radius: number, opacity: number, scales: Scales): string {
  const half = (value: number) => Math.round(2 * value) / 2;
  const places = new Map<string, Set<string>>();
  for (const { x, y, color } of points) {
    const place = `M${half(scales.x(x))} ${half(scales.y(y))}h0`;
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
