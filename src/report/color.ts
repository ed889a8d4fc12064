/**
 * Maps numbers to colours. A scheme is a ramp of 101 colours for a white page and the same ramp for a dark one; pictures are
 * drawn with the former, and a dark page replaces each colour (see `darkOf`), so that 0 always looks like the page.
 */
import type { ColorScale } from "../finding/picture.ts";
import { formatNumber } from "./format.ts";
import { extent } from "./numbers.ts";
import { BLUES, type Ramp, RD_BU, VIRIDIS } from "./ramps.ts";

const LEVELS = 101;
export type Scheme = NonNullable<ColorScale["scheme"]>;

/** The colours of lines and points on a white page, each with its counterpart on a dark one. */
const SERIES = [
  ["#3f6fae", "#7fb0ee"],
  ["#d4581f", "#ff9a62"],
  ["#4c8c4a", "#86c97f"],
  ["#8257a8", "#c39be6"],
  ["#977316", "#d9b65a"],
  ["#2f8a8c", "#6fcccb"],
] as const;

/** The colour of a cell without a value. */
const GAP = "#dcdcdc";
const GAP_DARK = "#3a3a3e";

export function seriesColor(index: number): string {
  return SERIES[index % SERIES.length][0];
}

/** A scale whose domain is known. */
export interface Coloring {
  readonly label: string;
  readonly domain: readonly [number, number];
  /** Whether there are values beyond the upper end, which is then written "≥ 1". */
  readonly more?: boolean;
  readonly scheme: Scheme;
  /** The colour of a value; beyond the domain, the colour of its end. */
  readonly of: (value: number | null) => string;
  /** The same as a CSS colour in terms of the page's variables (see `rampVariables`), which adapt to light and dark. */
  readonly css: (value: number | null) => string;
  /** `count` colours from one end of the domain to the other. */
  readonly steps: (count: number) => string[];
}

/** The scale for these values: without a domain, RdBu extends on both sides of 0 to the largest |value|. */
export function coloring(scale: ColorScale = {}, values: Iterable<number | null>): Coloring {
  const scheme = scale.scheme ?? "RdBu";
  const domain = scale.domain ?? domainOf(scheme, values);
  const span = domain[1] - domain[0] || 1;
  const ramp = ramps()[scheme].light;
  const level = (t: number) => Math.round(Math.max(0, Math.min(1, t)) * (LEVELS - 1));
  const levelOf = (value: number) => level((value - domain[0]) / span);
  return {
    label: withUnit(scale.label, scale.unit),
    domain,
    scheme,
    of: (value) => (value === null ? GAP : ramp[levelOf(value)]),
    css: (value) => `var(--${scheme}${value === null ? "-gap" : levelOf(value)})`,
    steps: (count) => Array.from({ length: count }, (_, i) => ramp[level(i / (count - 1))]),
  };
}

/** A scheme's colours as CSS variables `--RdBu0` to `--RdBu100`, each with a legible ink, `--RdBu0i`. */
export function rampVariables(scheme: Scheme, dark: boolean): string {
  const colors = ramps()[scheme][dark ? "dark" : "light"];
  const named = [...colors.map((color, i) => [String(i), color]), ["-gap", dark ? GAP_DARK : GAP]];
  return named.map(([name, color]) => `--${scheme}${name}:${color};--${scheme}${name}i:${inkOn(color)};`).join("");
}

function domainOf(scheme: Scheme, values: Iterable<number | null>): [number, number] {
  const [low, high] = extent(values) ?? [0, 1];
  if (scheme === "Viridis") return low === high ? [low, low + 1] : [low, high];
  const most = Math.max(Math.abs(low), Math.abs(high)) || 1;
  return scheme === "RdBu" ? [-most, most] : [0, most];
}

/** The upper end of a scale, as it is written. */
export function upperEnd({ domain, more }: Pick<Coloring, "domain" | "more">, digits: number): string {
  return `${more ? "≥ " : ""}${formatNumber(domain[1], digits)}`;
}

export function withUnit(label = "", unit = ""): string {
  return label && unit ? `${label} (${unit})` : label || unit;
}

/** Black or white, whichever has the greater contrast with the colour (WCAG 2.2): at least 4.58 on any. */
export function inkOn(color: string): string {
  const luminance = parse(color)
    .map((c) => (c / 255 <= 0.03928 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  return (luminance + 0.05) ** 2 > 1.05 * 0.05 ? "#000000" : "#ffffff";
}

/** For each colour that pictures use, the colour that replaces it on a dark page. */
export function darkOf(color: string): string | undefined {
  return (darkColors ??= pairUp()).get(color);
}

let darkColors: Map<string, string> | undefined;

function pairUp(): Map<string, string> {
  const pairs = new Map<string, string>([[GAP, GAP_DARK], ...SERIES]);
  for (const { light, dark } of Object.values(ramps())) {
    light.forEach((color, i) => {
      if (!pairs.has(color)) pairs.set(color, dark[i]);
    });
  }
  return pairs;
}

let cachedRamps: Record<Scheme, { light: string[]; dark: string[] }> | undefined;

function ramps() {
  cachedRamps ??= {
    RdBu: {
      light: sample(RD_BU),
      dark: sample(between("#ffb8a3", "#ec6a54", "#93362f", "#2a2b2f", "#245a94", "#4b9be0", "#b3dcff")),
    },
    Blues: { light: sample(BLUES), dark: sample(between("#2a2b2f", "#245a94", "#4b9be0", "#b3dcff")) },
    Viridis: { light: sample(VIRIDIS), dark: sample(VIRIDIS) },
  };
  return cachedRamps;
}

function sample(ramp: Ramp): string[] {
  return Array.from({ length: LEVELS }, (_, i) => hex(ramp(i / (LEVELS - 1))));
}

/** Linear interpolation in RGB through these colours, evenly spaced. */
function between(...stops: string[]): Ramp {
  const points = stops.map(parse);
  return (t) => {
    const i = Math.min(Math.floor(t * (points.length - 1)), points.length - 2);
    const part = t * (points.length - 1) - i;
    return points[i].map((c, k) => c + (points[i + 1][k] - c) * part);
  };
}

function parse(color: string): number[] {
  return [1, 3, 5].map((i) => Number.parseInt(color.slice(i, i + 2), 16));
}

/** Red, green and blue, 0 to 255, as `#rrggbb`. */
export function hex(rgb: readonly number[]): string {
  return `#${rgb.map((c) => Math.round(c).toString(16).padStart(2, "0")).join("")}`;
}
