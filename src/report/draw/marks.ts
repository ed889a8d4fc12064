/** What charts are made of: bars, lines, areas and points as SVG, in the coordinates of a chart. */
import { escapeMarkup } from "../escape.ts";
import { placed } from "./at-places.ts";
import { round } from "./drawing.ts";
import type { Box } from "./placing.ts";

/** A chart's frame in its picture, and where numbers are in it. A number without a place has NaN. */
export interface Plane {
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
  readonly frame: Box;
  readonly width: number;
  readonly height: number;
}

export type Mark = (plane: Plane) => string;

/** SVG's attributes, under their own names. */
export type Look = Readonly<Record<string, string | number>>;

/** What an element says, and where it is. */
interface Element {
  readonly title?: string;
  readonly place?: string | undefined;
  /** What differs from the others. */
  readonly look?: Look;
}

/** From one number to another on both axes. */
export interface Sides {
  readonly x1: number;
  readonly x2: number;
  readonly y1: number;
  readonly y2: number;
}

/** @param inset pixels that are left free at the left and right, and above and below */
export function rects(data: readonly (Element & Sides)[], look: Look, [across, along] = [0, 0], name = "rect"): Mark {
  return ({ x, y }) => {
    const elements = data.map((one) => {
      const [left, right] = [x(one.x1), x(one.x2)].sort((a, b) => a - b);
      const [top, bottom] = [y(one.y1), y(one.y2)].sort((a, b) => a - b);
      if (![left, right, top, bottom].every(Number.isFinite)) return "";
      const [width, height] = [right - left - 2 * across, bottom - top - 2 * along];
      return element("rect", one, {
        ...{ x: left + across, y: top + along, width: Math.max(0, width), height: Math.max(0, height) },
      });
    });
    return marked(name, look, elements);
  };
}

/** Straight lines; a side that is not said is the frame's. */
export function rules(data: readonly Partial<Sides>[], look: Look): Mark {
  return ({ x, y, frame }) => {
    const { left, right, top, bottom } = edges(frame);
    const at = (scale: (value: number) => number, value: number | undefined, edge: number) =>
      value === undefined ? edge : scale(value);
    const paths = data.map(({ x1, x2, y1, y2 }) =>
      pathOf([
        [at(x, x1, left), at(y, y1, bottom)],
        [at(x, x2, right), at(y, y2, top)],
      ]),
    );
    return marked("rule", look, [strokes(paths)]);
  };
}

/** A line through points, interrupted where one has no place. */
export function lineThrough(points: readonly { x: number; y: number }[], look: Look): Mark {
  return ({ x, y }) => {
    const parts = unbroken(points.map((one) => [x(one.x), y(one.y)] as const));
    const round = { "stroke-linecap": "round", "stroke-linejoin": "round" };
    return marked("line", { ...round, ...look }, [strokes(parts.map(pathOf))]);
  };
}

/** The area between two lines, interrupted where one has no place. */
export function areaBetween(data: readonly { x: number; low: number; high: number }[], look: Look): Mark {
  return ({ x, y }) => {
    const parts = unbroken(data.map((one) => [x(one.x), y(one.high), y(one.low)] as const));
    const outlines = parts.map((part) => {
      const above = part.map(([px, high]) => [px, high] as const);
      const below = part.map(([px, , low]) => [px, low] as const).reverse();
      return `${pathOf([...above, ...below])}Z`;
    });
    return marked("area", look, [outlines.length > 0 ? `<path d="${outlines.join("")}"/>` : ""]);
  };
}

/** Points as circles. */
export function dots(data: readonly (Element & { x: number; y: number })[], radius: number, look: Look): Mark {
  return ({ x, y }) => {
    const elements = data.map((one) => {
      const [cx, cy] = [x(one.x), y(one.y)];
      return Number.isFinite(cx) && Number.isFinite(cy) ? element("circle", one, { cx, cy, r: radius }) : "";
    });
    return marked("dot", look, elements);
  };
}

export function edges({ x, y, width, height }: Box) {
  return { left: x, right: x + width, top: y, bottom: y + height };
}

/** A group of a chart's elements. A page's script and a test find it by its name. */
export function marked(name: string, look: Look, elements: readonly string[]): string {
  const content = elements.join("");
  return content && `<g data-mark="${name}"${attributes(look)}>${content}</g>`;
}

/** Lines that are drawn as one. */
export function strokes(paths: readonly string[]): string {
  const d = paths.join("");
  return d && `<path d="${d}" fill="none"/>`;
}

type Point = readonly [number, number];

/** From one point to the next; a single point is a line of no length. Nothing if a point has no place. */
export function pathOf(points: readonly Point[]): string {
  if (!points.flat().every(Number.isFinite)) return "";
  const [first, ...rest] = points.map(([x, y]) => `${round(x)},${round(y)}`);
  return `M${first}${rest.length > 0 ? `L${rest.join("L")}` : "h0"}`;
}

/** The runs of points that have a place. */
function unbroken<P extends readonly number[]>(points: readonly P[]): P[][] {
  const runs: P[][] = [];
  let open = false;
  for (const point of points) {
    const isThere = point.every(Number.isFinite);
    if (isThere && open) runs[runs.length - 1].push(point);
    else if (isThere) runs.push([point]);
    open = isThere;
  }
  return runs;
}

function element(name: string, { title = "", place, look = {} }: Element, shape: Record<string, number>): string {
  const where = Object.entries(shape).map(([side, value]) => ` ${side}="${round(value)}"`);
  const words = title && `<title>${escapeMarkup(title)}</title>`;
  return `<${name}${where.join("")}${attributes(look)}${placed(place)}>${words}</${name}>`;
}

function attributes(look: Look): string {
  return Object.entries(look)
    .map(([name, value]) => ` ${name}="${escapeMarkup(String(value))}"`)
    .join("");
}
