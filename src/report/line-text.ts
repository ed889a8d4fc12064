/** A line chart in characters, for a terminal: braille dots, two by four in each character. */
import type { LineSpec } from "../finding/picture.ts";
import { formatNumber } from "./format.ts";
import { textWidth } from "./token-text.ts";

/** The size, and whether ANSI colours distinguish the series. */
export interface LineTextOptions {
  /** The total width in columns, including the labels of the y axis. */
  readonly width: number;
  /** The rows of dots, not counting the title, the x axis and the legend. */
  readonly height: number;
  readonly color?: boolean | undefined;
}

/** ANSI foregrounds in the order of the series: blue, yellow, green, magenta. */
const COLORS = [34, 33, 32, 35];
/** The bit of each dot in a braille character, by column and row. */
const DOTS = [
  [0x01, 0x02, 0x04, 0x40],
  [0x08, 0x10, 0x20, 0x80],
];
const BRAILLE = 0x2800;

/** The chart's lines. References at a y are drawn as dotted lines; log scales are supported. */
export function lineText(spec: LineSpec, { width, height, color = false }: LineTextOptions): string[] {
  const log = spec.y?.scale === "log";
  const at = (y: number) => (log ? Math.log10(y) : y);
  const points = spec.series.map(({ x, y }) =>
    y
      .map((value, i) => ({ x: x?.[i] ?? i, y: value }))
      .filter((p): p is { x: number; y: number } => p.y !== null && Number.isFinite(at(p.y)))
      .map((p) => ({ x: p.x, y: at(p.y) })),
  );
  const references = (spec.references ?? []).flatMap((r) => (r.kind === "y" ? [{ y: at(r.at), label: r.label }] : []));
  const xs = extent(
    points.flat().map((p) => p.x),
    spec.x?.domain,
  );
  const ys = extent([...points.flat().map((p) => p.y), ...references.map((r) => r.y)], spec.y?.domain?.map(at));
  const labels = new Map([0, 0.5, 1].map((part) => [Math.round(part * (height - 1)), ys[1] - part * (ys[1] - ys[0])]));
  const shown = (value: number) => formatNumber(log ? 10 ** value : value, 3);
  const margin = Math.max(...[...labels.values()].map((value) => shown(value).length)) + 2;
  const columns = Math.max(10, width - margin);
  const canvas = new Canvas(columns, height);
  const px = (x: number) => Math.round(((x - xs[0]) / (xs[1] - xs[0])) * (2 * columns - 1));
  const py = (y: number) => Math.round(((ys[1] - y) / (ys[1] - ys[0])) * (4 * height - 1));
  for (const { y } of references) for (let x = 0; x < 2 * columns; x += 4) canvas.dot(x, py(y), -1);
  points.forEach((line, series) => {
    line.forEach((p, i) => {
      const from = line[i - 1] ?? p;
      canvas.line([px(from.x), py(from.y)], [px(p.x), py(p.y)], series);
    });
  });

  const ink = (text: string, series: number) =>
    !color || text.trim() === "" ? text : `\x1b[${series < 0 ? 2 : COLORS[series % COLORS.length]}m${text}\x1b[0m`;
  const unit = [spec.y?.label, spec.y?.unit && `(${spec.y.unit})`].filter(Boolean).join(" ");
  const body = canvas.rows().map((cells, row) => {
    const label = labels.has(row) ? shown(labels.get(row)!) : "";
    return `${label.padStart(margin - 2)} ${labels.has(row) ? "┤" : "│"}${runs(cells)
      .map(({ text, series }) => ink(text, series))
      .join("")}`;
  });
  const entries = [
    ...(spec.series.length > 1 ? spec.series.map(({ name }, i) => ({ text: `━ ${name}`, series: i })) : []),
    ...references.map(({ label, y }) => ({ text: `┈ ${label} ${shown(y)}`, series: -1 })),
  ];
  const legend = fitting(entries, columns);
  return [
    ...(unit ? [`${" ".repeat(margin - 1)}${unit}`] : []),
    ...body,
    `${" ".repeat(margin - 1)}└${"─".repeat(columns)}`,
    `${" ".repeat(margin)}${ends(formatNumber(xs[0]), [spec.x?.label, formatNumber(xs[1])].filter(Boolean).join(" "), columns)}`,
    ...(legend.length > 0
      ? [`${" ".repeat(margin)}${legend.map(({ text, series }) => ink(text, series)).join(BETWEEN)}`]
      : []),
  ];
}

const BETWEEN = "   ";

/** As many entries of a legend as fit side by side. */
function fitting<T extends { readonly text: string }>(entries: readonly T[], width: number): T[] {
  let used = -BETWEEN.length;
  return entries.filter(({ text }) => {
    const after = used + BETWEEN.length + textWidth(text);
    if (after > width) return false;
    used = after;
    return true;
  });
}

/** Groups neighbouring characters of the same series. */
function runs(cells: readonly { readonly text: string; readonly series: number }[]) {
  const segments: { text: string; series: number }[] = [];
  for (const { text, series } of cells) {
    const last = segments.at(-1);
    if (last?.series === series) last.text += text;
    else segments.push({ text, series });
  }
  return segments;
}

/** From, to; slightly widened if all numbers are equal. */
function extent(values: readonly number[], domain: readonly number[] | undefined): [number, number] {
  const [low, high] = domain ?? [
    values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY),
    values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY),
  ];
  if (!Number.isFinite(low) || !Number.isFinite(high)) return [0, 1];
  return low === high ? [low - 0.5, high + 0.5] : [low, high];
}

function ends(left: string, right: string, width: number): string {
  return left + " ".repeat(Math.max(1, width - textWidth(left) - textWidth(right))) + right;
}

/** Dots, and the series that each character belongs to. */
class Canvas {
  private readonly bits: Uint8Array;
  private readonly series: Int8Array;
  private readonly columns: number;
  private readonly height: number;

  constructor(columns: number, height: number) {
    this.columns = columns;
    this.height = height;
    this.bits = new Uint8Array(columns * height);
    this.series = new Int8Array(columns * height).fill(-1);
  }

  dot(x: number, y: number, series: number): void {
    if (x < 0 || y < 0 || x >= 2 * this.columns || y >= 4 * this.height) return;
    const cell = (y >> 2) * this.columns + (x >> 1);
    this.bits[cell] |= DOTS[x & 1][y & 3];
    this.series[cell] = Math.max(this.series[cell], series);
  }

  line([x0, y0]: readonly [number, number], [x1, y1]: readonly [number, number], series: number): void {
    const steps = Math.max(Math.abs(x1 - x0), Math.abs(y1 - y0), 1);
    for (let i = 0; i <= steps; i++) {
      this.dot(Math.round(x0 + ((x1 - x0) * i) / steps), Math.round(y0 + ((y1 - y0) * i) / steps), series);
    }
  }

  rows(): { readonly text: string; readonly series: number }[][] {
    return Array.from({ length: this.height }, (_, row) =>
      Array.from({ length: this.columns }, (_, column) => {
        const cell = row * this.columns + column;
        return {
          text: this.bits[cell] ? String.fromCharCode(BRAILLE + this.bits[cell]) : " ",
          series: this.series[cell],
        };
      }),
    );
  }
}
