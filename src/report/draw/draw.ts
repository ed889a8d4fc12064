/** Draws a spec of any kind as SVG. */
import type { PictureSpec } from "../../finding/picture.ts";
import { chosenTokens } from "./activations.ts";
import { type Drawing, type FrameOptions, frame } from "./drawing.ts";

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

/** What draws a kind of picture is loaded when one is drawn. */
async function draw(spec: PictureSpec, width: number, themes?: boolean): Promise<Drawing> {
  switch (spec.kind) {
    case "tokens":
      return (await import("./tokens.ts")).drawTokens(spec, width);
    case "activations":
      return (await import("./tokens.ts")).drawTokens(chosenTokens(spec), width);
    case "attention":
      return (await import("./attention.ts")).drawAttention(spec, width);
    case "facets":
      return (await import("./facets.ts")).drawFacets(spec, width, themes);
    case "topk":
      return (await import("./topk.ts")).drawTopk(spec, width);
    case "logit-lens":
      return (await import("./logit-lens.ts")).drawLogitLens(spec, width);
    case "imshow":
      return (await import("./imshow.ts")).drawImshow(spec, width, themes);
    case "line":
      return (await import("./line.ts")).drawLine(spec, width);
    case "scatter":
      return (await import("./scatter.ts")).drawScatter(spec, width);
    case "bar":
      return (await import("./bar.ts")).drawBar(spec, width);
    case "hist":
      return (await import("./hist.ts")).drawHist(spec, width);
    case "graph":
      return (await import("./graph.ts")).drawGraph(spec, width);
  }
}
