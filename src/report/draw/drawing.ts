/** The frame that every kind of picture shares: title, legend, the drawing and the caption, in one SVG. */
import type { PictureSpec } from "../../finding/picture.ts";
import { type Coloring, upperEnd } from "../color.ts";
import { escapeMarkup, validXml } from "../escape.ts";
import { formatNumber } from "../format.ts";
import { wordsOf } from "../token-text.ts";

/** The inside of a picture: SVG elements in a box of this size. */
export interface Drawing {
  readonly width: number;
  readonly height: number;
  readonly content: string;
  readonly legend: readonly LegendItem[];
  /** What it shows in numbers: written after the caption. */
  readonly note?: string;
}

export type LegendItem =
  | { readonly kind: "dot" | "ring" | "area" | "frame"; readonly color: string; readonly text: string }
  | { readonly kind: "line"; readonly color: string; readonly text: string; readonly dash?: string }
  | { readonly kind: "ramp"; readonly coloring: Coloring };

export const FONT =
  "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'Noto Sans', 'Liberation Sans', 'DejaVu Sans', Arial, sans-serif";
/** DejaVu before Liberation, because it has the marks for invisible characters, ␣ ⏎ ⇥. */
export const MONO =
  "ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', 'Courier New', monospace";

export interface FrameOptions {
  /** Whether title and caption are part of the picture; a page writes them itself. */
  readonly words?: boolean | undefined;
  /** The free edge around everything, in CSS pixels. */
  readonly padding?: number | undefined;
}

/** A standalone SVG: no style sheet, no references to anything outside, `currentColor` for ink. */
export function frame(spec: PictureSpec, drawing: Drawing, { words = true, padding = 0 }: FrameOptions = {}): string {
  const { width } = drawing;
  const parts: string[] = [];
  let y = 0;
  if (words && spec.title) {
    for (const text of wrap(spec.title, width, 15 * 0.6)) {
      y += 20;
      parts.push(svgText(text, 0, y - 4, `font-size="15" font-weight="600"`));
    }
    y += 6;
  }
  if (drawing.legend.length > 0) {
    const legend = drawLegend(drawing.legend, width);
    parts.push(group(legend.content, 0, y));
    y += legend.height + 4;
  }
  parts.push(group(drawing.content, 0, y));
  y += drawing.height;
  const caption = [spec.caption, drawing.note].filter(Boolean).join(" ");
  if (words && caption) {
    y += 8;
    for (const text of wrap(caption, width, 12 * 0.54)) {
      y += 17;
      parts.push(svgText(text, 0, y - 4, `font-size="12" opacity="0.75"`));
    }
    y += 4;
  }
  const content = padding ? group(parts.join(""), padding, padding) : parts.join("");
  return svgDocument(width + 2 * padding, y + 2 * padding, altText(spec), content);
}

export function svgDocument(width: number, height: number, label: string, content: string): string {
  const w = round(width);
  const h = round(height);
  return validXml(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${w}" height="${h}" viewBox="0 0 ${w} ${h}" role="img" ` +
      `aria-label="${escapeMarkup(label)}" font-family="${FONT}" font-size="12" fill="currentColor" ` +
      `xml:space="preserve">${content}</svg>`,
  );
}

/** A legend on its own. */
export function legendSvg(items: readonly LegendItem[], width: number, label: string): string {
  const { content, height } = drawLegend(items, width);
  return svgDocument(width, height, label, content);
}

const KINDS: Record<PictureSpec["kind"], string> = {
  imshow: "Heatmap",
  facets: "Heatmaps",
  line: "Line chart",
  scatter: "Scatter plot",
  hist: "Histogram",
  bar: "Bar chart",
  tokens: "Tokens",
  attention: "Attention patterns",
  activations: "Tokens by activation",
  topk: "Ranked tokens",
  "logit-lens": "Logit lens",
  graph: "Graph",
};

/** Every kind of picture. */
export const PICTURE_KINDS: readonly string[] = Object.keys(KINDS);

/** What a picture shows, for readers who cannot see it. */
export function altText(spec: PictureSpec): string {
  return [`${KINDS[spec.kind]}: ${spec.title || spec.name}`, spec.caption].filter(Boolean).join(". ");
}

function group(content: string, x: number, y: number): string {
  return `<g transform="translate(${round(x)},${round(y)})">${content}</g>`;
}

export function svgText(text: string, x: number, y: number, attributes = ""): string {
  return `<text x="${round(x)}" y="${round(y)}" ${attributes}>${escapeMarkup(text)}</text>`;
}

export function round(value: number): number {
  return Math.round(value * 100) / 100;
}

/** Words in lines of at most `width` pixels, assuming a mean width per character: no font can be measured here. */
export function wrap(text: string, width: number, perCharacter: number): string[] {
  const most = Math.max(8, Math.floor(width / perCharacter));
  const lines: string[] = [];
  for (const word of wordsOf(text)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= most) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

const LINE = 20;
const RAMP_WIDTH = 160;

/** Swatches side by side, in as many lines as they need; each colour ramp takes a separate line. */
function drawLegend(items: readonly LegendItem[], width: number): { content: string; height: number } {
  const parts: string[] = [];
  let x = 0;
  let y = 0;
  for (const item of items) {
    if (item.kind === "ramp") {
      if (x > 0) y += LINE;
      x = 0;
      parts.push(group(drawRamp(item.coloring), 0, y));
      y += item.coloring.label ? 44 : 28;
      continue;
    }
    const room = 20 + item.text.length * 6.6 + 18;
    if (x > 0 && x + room > width) {
      x = 0;
      y += LINE;
    }
    parts.push(group(swatch(item) + svgText(item.text, 20, 14), x, y));
    x += room;
  }
  return { content: parts.join(""), height: y + (x > 0 ? LINE : 0) };
}

function swatch(item: Exclude<LegendItem, { kind: "ramp" }>): string {
  const { color } = item;
  switch (item.kind) {
    case "dot":
      return `<circle cx="8" cy="10" r="4.5" fill="${color}"/>`;
    case "ring":
      return `<circle cx="8" cy="10" r="4.5" fill="none" stroke="${color}" stroke-width="1.5"/>`;
    case "area":
      return `<rect x="2" y="4" width="12" height="12" fill="${color}" fill-opacity="0.55" stroke="${color}"/>`;
    case "line": {
      const dash = item.dash ? ` stroke-dasharray="${item.dash}"` : "";
      return `<path d="M0,10H16" stroke="${color}" stroke-width="2" fill="none"${dash}/>`;
    }
    case "frame":
      return `<rect x="1" y="4" width="13" height="12" rx="2" fill="none" stroke="${color}" stroke-width="2"/>`;
  }
}

function drawRamp(coloring: Coloring): string {
  const { label, domain, steps } = coloring;
  const top = label ? 18 : 2;
  const colors = steps(32);
  const size = RAMP_WIDTH / colors.length;
  const cells = colors.map(
    // A little overlap: otherwise antialiasing leaves light seams between the cells.
    (color, i) => `<rect x="${round(i * size)}" y="${top}" width="${round(size + 0.4)}" height="8" fill="${color}"/>`,
  );
  const ends = [0, 0.5, 1].map((t) => {
    const anchor = t === 0 ? "start" : t === 1 ? "end" : "middle";
    const value = domain[0] + t * (domain[1] - domain[0]);
    return svgText(
      t === 1 ? upperEnd(coloring, 3) : formatNumber(value, 3),
      t * RAMP_WIDTH,
      top + 20,
      `font-size="11" text-anchor="${anchor}"`,
    );
  });
  return (label ? svgText(label, 0, 12) : "") + cells.join("") + ends.join("");
}
