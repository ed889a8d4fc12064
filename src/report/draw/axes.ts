/** What charts with two numeric axes have in common: domains, and axes with their margins. */
import type { Axis, ReferenceLine } from "../../finding/picture.ts";
import { withUnit } from "../color.ts";
import { extent } from "../numbers.ts";
import { gridX } from "./axis-marks.ts";
import { type CategoryTicks, categoryAxisX, categoryAxisY, categoryTicks, rowNames } from "./categories.ts";
import type { ChartAxis, Margins } from "./chart.ts";
import type { Mark } from "./marks.ts";
import { numberAxis } from "./number-axis.ts";
import type { Domain } from "./scales.ts";

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

/** Around a chart with numbers at both axes. */
export const MARGIN: Margins = { left: 60, right: 16, top: 28, bottom: 42 };

/** Two axes: their margins, and the marks of those that have names instead of numbers. */
export interface ChartAxes {
  readonly margins: Margins;
  readonly x: ChartAxis;
  readonly y: ChartAxis;
  readonly marks: readonly Mark[];
}

export function chartAxes(
  [x, xDomain]: readonly [Axis | undefined, Domain],
  [y, yDomain]: readonly [Axis | undefined, Domain],
  size: { readonly width: number; readonly height: number },
): ChartAxes {
  const marks: Mark[] = [];
  const rows = y?.ticks && rowNames(y.ticks, (size.height - 70) / Math.abs(yDomain[1] - yDomain[0]), size.width * 0.4);
  if (rows) marks.push(...categoryAxisY(rows, withUnit(y?.label, y?.unit)));
  let left = rows ? Math.max(24, rows.width + 14) : MARGIN.left;
  let columns: CategoryTicks | undefined;
  if (x?.ticks) {
    const pitch = () => (size.width - left - MARGIN.right) / (xDomain[1] - xDomain[0]);
    columns = categoryTicks(x.ticks, pitch());
    const first = (columns.shown[0] ?? 0) - xDomain[0];
    left = Math.max(left, columns.reach - first * pitch() + 4);
    columns = categoryTicks(x.ticks, pitch());
  }
  const label = withUnit(x?.label, x?.unit);
  const bottom = columns ? columns.height + 14 + (label ? 20 : 0) : MARGIN.bottom;
  if (columns) marks.push(gridX(columns.shown), ...categoryAxisX(columns, label));
  return {
    margins: { ...MARGIN, left, bottom },
    x: columns ? { domain: xDomain } : numberAxis(x, xDomain),
    y: rows ? { domain: yDomain } : numberAxis(y, yDomain),
    marks,
  };
}
