/** Draws a spec of any kind as SVG. */
import type { PictureSpec } from "../../finding/picture.ts";
import { chosenTokens } from "./activations.ts";
import { drawAttention } from "./attention.ts";
import { drawBar } from "./bar.ts";
import { type Drawing, type FrameOptions, frame } from "./drawing.ts";
import { drawFacets } from "./facets.ts";
import { drawHist } from "./hist.ts";
import { drawImshow } from "./imshow.ts";
import { drawLine } from "./line.ts";
import { drawLogitLens } from "./logit-lens.ts";
import { drawScatter } from "./scatter.ts";
import { drawTokens } from "./tokens.ts";
import { drawTopk } from "./topk.ts";

export const DEFAULT_WIDTH = 680;

export interface DrawOptions extends FrameOptions {
  /** The width in CSS pixels, instead of the spec's own. */
  readonly width?: number | undefined;
  /** The free edge around a standalone picture, within its width, in CSS pixels. Default 12. */
  readonly padding?: number | undefined;
}

const PADDING = 12;

/** The spec as a standalone SVG document. */
export function drawSvg(spec: PictureSpec, { padding = PADDING, ...options }: DrawOptions = {}): Promise<string> {
  return drawFor(spec, { ...options, padding });
}

/** Like `drawSvg`, without padding unless you say otherwise; with `themes` for a page, which may be dark. */
export async function drawFor(spec: PictureSpec, options: DrawOptions, themes = false): Promise<string> {
  const width = (options.width ?? spec.width ?? DEFAULT_WIDTH) - 2 * (options.padding ?? 0);
  return frame(spec, await draw(spec, width, themes), options);
}

function draw(spec: PictureSpec, width: number, themes?: boolean): Drawing | Promise<Drawing> {
  switch (spec.kind) {
    case "tokens":
      return drawTokens(spec, width);
    case "activations":
      return drawTokens(chosenTokens(spec), width);
    case "attention":
      return drawAttention(spec, width);
    case "facets":
      return drawFacets(spec, width, themes);
    case "topk":
      return drawTopk(spec, width);
    case "logit-lens":
      return drawLogitLens(spec, width);
    case "imshow":
      return drawImshow(spec, width, themes);
    case "line":
      return drawLine(spec, width);
    case "scatter":
      return drawScatter(spec, width);
    case "bar":
      return drawBar(spec, width);
    case "hist":
      return drawHist(spec, width);
  }
}
