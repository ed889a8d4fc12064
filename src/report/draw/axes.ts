/** What charts with two numeric axes have in common: domains, reference lines, and Plot's output as a drawing. */
import type { Markish, PlotOptions } from "@observablehq/plot";
import type { Axis, ReferenceLine } from "../../finding/picture.ts";
import { withUnit } from "../color.ts";
import { formatNumber } from "../format.ts";
import { extent } from "../numbers.ts";
import type { Drawing, LegendItem } from "./drawing.ts";
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
    ...(axis?.scale === "log" ? { axis: null } : { grid: true, ...tickFormat(domain) }),
  } as const;
}

/** Very small and very large numbers would be too long in Plot's own format. */
function tickFormat([low, high]: Domain) {
  const size = Math.max(Math.abs(low), Math.abs(high));
  return size < 1e-2 || size >= 1e6 ? { tickFormat: (v: number) => formatNumber(v).replace("-", "−") } : {};
}

/** Axis and grid of a log scale: Plot's own omit some labels, and write 0.01 as "10m". */
export function logAxes(
  { plot }: Plotting,
  x: Axis | undefined,
  xDomain: Domain,
  y: Axis | undefined,
  yDomain: Domain,
) {
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

/** 1, 2 and 5 times each power of ten, or only the powers if there are many. */
function logTicks([low, high]: Domain): number[] {
  const powers = Array.from(
    { length: Math.ceil(Math.log10(high)) - Math.floor(Math.log10(low)) + 1 },
    (_, i) => Math.floor(Math.log10(low)) + i,
  );
  const heads = powers.length > 4 ? [1] : [1, 2, 5];
  return powers.flatMap((p) => heads.map((m) => Number(`${m}e${p}`))).filter((v) => v >= low && v <= high);
}

/** Marks for the reference lines, cut to the frame, and their entries in the legend. */
export function referenceMarks({ plot }: Plotting, lines: readonly ReferenceLine[], x: Domain, y: Domain) {
  const style = { stroke: "currentColor", strokeWidth: 1.25, strokeDasharray: "5 4" };
  const marks = lines.map((line) => {
    if (line.kind === "slope") {
      return plot.line(slopePoints(line.slope, line.intercept ?? 0, x, y), { x: "0", y: "1", ...style });
    }
    return line.kind === "x" ? plot.ruleX([line.at], style) : plot.ruleY([line.at], style);
  });
  const legend = lines.map((line): LegendItem => ({ kind: "dashes", color: "currentColor", text: line.label }));
  return { marks, legend };
}

/** The part of `y = slope x + intercept` inside the frame: many points, so that it also bends on a log axis. */
function slopePoints(slope: number, intercept: number, x: Domain, y: Domain): [number, number][] {
  const atY = slope === 0 ? [...x] : y.map((v) => (v - intercept) / slope).sort((a, b) => a - b);
  const from = Math.max(x[0], atY[0]);
  const to = Math.min(x[1], atY[1]);
  if (from >= to) return [];
  return Array.from({ length: 61 }, (_, i) => {
    const at = from + ((to - from) * i) / 60;
    return [at, slope * at + intercept];
  });
}

/** Plot's SVG as a drawing: without its style sheet and class, so that it needs nothing from outside. `more` draws on top of it. */
export function plotted(
  { plot, document }: Plotting,
  options: PlotOptions,
  legend: readonly LegendItem[],
  more: (scale: (axis: "x" | "y", value: number) => number) => string = () => "",
): Drawing {
  const width = options.width ?? 640;
  const height = options.height ?? 400;
  const svg = plot.plot({ ...options, width, height, document });
  const drawn = more((axis, value) => svg.scale(axis)!.apply(value));
  svg.querySelector("style")?.remove();
  // A browser's serialiser writes a no-break space as an entity that XML does not know.
  const inside = svg.innerHTML.replaceAll("&nbsp;", "&#160;");
  return { width, height, content: `<g text-anchor="middle">${inside}</g>${drawn}`, legend };
}
