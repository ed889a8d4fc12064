/** What charts with two numeric axes have in common: domains, axes with their margins, and Plot's output as a drawing. */
import type { Markish, PlotOptions } from "@observablehq/plot";
import type { Axis, ReferenceLine } from "../../finding/picture.ts";
import { withUnit } from "../color.ts";
import { formatNumber } from "../format.ts";
import { extent } from "../numbers.ts";
import { type CategoryTicks, categoryAxisX, categoryAxisY, categoryTicks, rowNames } from "./categories.ts";
import type { Drawing, LegendItem } from "./drawing.ts";
import { type Box, Placing } from "./placing.ts";
import type { Plotting } from "./plotting.ts";

export type Domain = readonly [number, number];

/** The axis' own domain, or the range of the numbers and of the lines across it, with a small margin. */
export function domainOf(
  axis: Axis | undefined,
  values: Iterable<number | null>,
  lines: readonly ReferenceLine[] = [],
  across: "x" | "y" = "x",
): Domain {
  if (axis?.domain) return axis.domain;
  if (axis?.ticks?.length) return [-0.5, axis.ticks.length - 0.5];
  const marks = lines.flatMap((line) => (line.kind === across ? [line.at] : []));
  const all = [...marks, ...values];
  if (axis?.scale === "log") {
    // Numbers that are not above 0 have no place on it.
    const [low, high] = extent(all.filter((v) => v !== null && v > 0)) ?? [1, 10];
    return [low / 1.1, high * 1.1];
  }
  const [low, high] = extent(all) ?? [0, 1];
  const air = (high - low || Math.abs(high) || 1) * 0.04;
  return [low - air, high + air];
}

export function within(value: number | null | undefined, [low, high]: Domain): value is number {
  return value !== null && value !== undefined && value >= low && value <= high;
}

/** The axis, in Plot's form. */
export function scaleOptions(axis: Axis | undefined, domain: Domain) {
  return {
    type: axis?.scale ?? "linear",
    domain,
    label: withUnit(axis?.label, axis?.unit) || null,
    ...(axis?.scale === "log" || axis?.ticks ? { axis: null } : { grid: true, ...tickFormat(domain) }),
  } as const;
}

/** Very small and very large numbers would be too long in Plot's own format. */
function tickFormat([low, high]: Domain) {
  const size = Math.max(Math.abs(low), Math.abs(high));
  return size < 1e-2 || size >= 1e6 ? { tickFormat: (v: number) => formatNumber(v) } : {};
}

const MARGIN = { left: 60, right: 16, top: 28, bottom: 42 };

/** Two axes: their margins, and the marks of those that Plot does not draw by itself. */
export interface ChartAxes {
  readonly margins: Required<Pick<PlotOptions, "marginLeft" | "marginRight" | "marginTop" | "marginBottom">>;
  readonly marks: readonly Markish[];
}

export function chartAxes(
  plotting: Plotting,
  [x, xDomain]: readonly [Axis | undefined, Domain],
  [y, yDomain]: readonly [Axis | undefined, Domain],
  size: { readonly width: number; readonly height: number },
): ChartAxes {
  const marks: Markish[] = [...logAxes(plotting, x, xDomain, y, yDomain)];
  const rows = y?.ticks && rowNames(y.ticks, (size.height - 70) / Math.abs(yDomain[1] - yDomain[0]), size.width * 0.4);
  if (rows) marks.push(categoryAxisY(plotting, rows, withUnit(y?.label, y?.unit) || null));
  let marginLeft = rows ? Math.max(24, rows.width + 14) : MARGIN.left;
  let columns: CategoryTicks | undefined;
  if (x?.ticks) {
    const pitch = () => (size.width - marginLeft - MARGIN.right) / (xDomain[1] - xDomain[0]);
    columns = categoryTicks(x.ticks, pitch());
    const first = (columns.shown[0] ?? 0) - xDomain[0];
    marginLeft = Math.max(marginLeft, columns.reach - first * pitch() + 4);
    columns = categoryTicks(x.ticks, pitch());
  }
  const label = withUnit(x?.label, x?.unit) || null;
  const marginBottom = columns ? columns.height + 14 + (label ? 20 : 0) : MARGIN.bottom;
  if (columns)
    marks.push(plotting.plot.gridX([...columns.shown]), categoryAxisX(plotting, columns, label, marginBottom - 4));
  return { margins: { marginLeft, marginRight: MARGIN.right, marginTop: MARGIN.top, marginBottom }, marks };
}

/** Axis and grid of a log scale: Plot's own omit some labels, and write 0.01 as "10m". */
function logAxes({ plot }: Plotting, x: Axis | undefined, xDomain: Domain, y: Axis | undefined, yDomain: Domain) {
  const marks: Markish[] = [];
  if (x?.scale === "log") {
    const ticks = logTicks(xDomain);
    marks.push(plot.gridX(ticks), plot.axisX(ticks, { text: (v: number) => formatNumber(v) }));
  }
  if (y?.scale === "log") {
    const ticks = logTicks(yDomain);
    marks.push(plot.gridY(ticks), plot.axisY(ticks, { text: (v: number) => formatNumber(v) }));
  }
  return marks;
}

/** The powers of ten, with their multiples by 2 and 5 or by all digits where there are few; over less than that, round numbers. */
function logTicks([low, high]: Domain): number[] {
  const powers = Array.from(
    { length: Math.ceil(Math.log10(high)) - Math.floor(Math.log10(low)) + 1 },
    (_, i) => Math.floor(Math.log10(low)) + i,
  );
  for (const heads of [[1], [1, 2, 5], [1, 2, 3, 4, 5, 6, 7, 8, 9]]) {
    const ticks = powers.flatMap((p) => heads.map((m) => Number(`${m}e${p}`))).filter((v) => v >= low && v <= high);
    if (ticks.length >= 4) return ticks;
  }
  const rough = (high - low) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((m) => m * power >= rough) ?? 10);
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) =>
    Number(((first + i) * step).toPrecision(12)),
  );
}

/** Where numbers are in a drawing, and the frame around them. */
export interface Scales {
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
  readonly placing: Placing;
}

/** Plot's SVG as a drawing: without its style sheet and class, so that it needs nothing from outside. `more` draws on top of it. */
export function plotted(
  { plot, document }: Plotting,
  options: PlotOptions,
  legend: readonly LegendItem[],
  more: (scales: Scales) => string = () => "",
): Drawing {
  const width = options.width ?? 640;
  const height = options.height ?? 400;
  const svg = plot.plot({ ...options, width, height, document });
  const at = (axis: "x" | "y") => (value: number) => svg.scale(axis)!.apply(value) as number;
  const drawn = more({ x: at("x"), y: at("y"), placing: new Placing(frameOf(options, width, height)) });
  svg.querySelector("style")?.remove();
  const inside = svg.innerHTML
    // A browser's serialiser writes a no-break space as an entity that XML does not know.
    .replaceAll("&nbsp;", "&#160;")
    // What Plot calls its groups is nothing to read aloud.
    .replaceAll(/(<g\b[^>]*) aria-label="([^"]*)"/g, '$1 data-mark="$2"');
  return { width, height, content: `<g text-anchor="middle">${inside}</g>${drawn}`, legend };
}

function frameOf(options: PlotOptions, width: number, height: number): Box {
  const { marginLeft = 0, marginRight = 0, marginTop = 0, marginBottom = 0 } = options;
  return {
    x: marginLeft,
    y: marginTop,
    width: width - marginLeft - marginRight,
    height: height - marginTop - marginBottom,
  };
}
