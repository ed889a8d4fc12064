/** A chart: its axes, and the marks in their coordinates. */
import type { Axis } from "../../finding/picture.ts";
import { fixed } from "../../tensor/words.ts";
import { gridX, gridY, labelX, labelY, SIZE, type Tick, textsAtX, textsAtY, ticksX, ticksY } from "./axis-marks.ts";
import type { Drawing, LegendItem } from "./drawing.ts";
import type { Mark } from "./marks.ts";
import { Placing } from "./placing.ts";
import { type Domain, pixelScale, roundNumbers } from "./scales.ts";

/** The pixels around a chart's frame. */
export interface Margins {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** An axis in numbers: where they are, and what is written there. */
export interface ChartAxis {
  readonly domain: Domain;
  readonly scale?: Axis["scale"];
  /** Numbers and label are drawn, where this is there. */
  readonly drawn?: {
    readonly label: string;
    readonly grid: boolean;
    /** Round numbers, about as many as this or as there is room for; or these. */
    readonly ticks?: number | readonly Tick[] | undefined;
    /** How round numbers are written, otherwise with the decimals that they need. */
    readonly format?: ((value: number, decimals: number) => string) | undefined;
  };
}

export interface ChartOptions {
  readonly width: number;
  readonly height: number;
  readonly margins: Margins;
  readonly x: ChartAxis;
  readonly y: ChartAxis;
  readonly marks: readonly Mark[];
}

/** Where numbers are in a chart, and the words that are in it. */
export interface Scales {
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
  readonly placing: Placing;
}

/** The room between round numbers, in pixels. */
const [ACROSS, UP] = [80, 35];
/** Digits are equally wide. */
const NUMBERS = { "font-variant": "tabular-nums" };

/** @param more draws on top of the marks */
export function plotted(
  options: ChartOptions,
  legend: readonly LegendItem[],
  more: (scales: Scales) => string = () => "",
): Drawing {
  const { width, height, margins, marks } = options;
  const frame = {
    ...{ x: margins.left, y: margins.top },
    ...{ width: width - margins.left - margins.right, height: height - margins.top - margins.bottom },
  };
  const x = pixelScale(options.x.scale, options.x.domain, [frame.x, frame.x + frame.width]);
  const y = pixelScale(options.y.scale, options.y.domain, [frame.y + frame.height, frame.y]);
  const all = [...axisMarks("y", options.y, frame.height / UP), ...axisMarks("x", options.x, frame.width / ACROSS)];
  const content = [...all, ...marks].map((mark) => mark({ x, y, frame, width, height })).join("");
  const drawn = more({ x, y, placing: new Placing(frame) });
  return { width, height, content: `<g text-anchor="middle">${content}</g>${drawn}`, legend };
}

function axisMarks(name: "x" | "y", { domain, drawn }: ChartAxis, count: number): Mark[] {
  if (!drawn) return [];
  const { label, grid, format = fixed, ticks = count } = drawn;
  const written = typeof ticks === "number" ? roundTicks(domain, ticks, format) : ticks;
  const places = written.map(({ at }) => at);
  if (name === "y") {
    const texts = textsAtY(written, SIZE, NUMBERS);
    return [...(grid ? [gridY(places)] : []), ticksY(places), texts, labelY(label && `↑ ${label}`)];
  }
  const lines = written.map(({ at, text }) => ({ at, lines: [text] }));
  const texts = textsAtX(lines, SIZE, NUMBERS);
  return [...(grid ? [gridX(places)] : []), ticksX(places), texts, labelX(label && `${label} →`)];
}

function roundTicks(domain: Domain, count: number, format: (value: number, decimals: number) => string): Tick[] {
  const { numbers, decimals } = roundNumbers(domain, count);
  return numbers.map((at) => ({ at, text: format(at, decimals) }));
}
