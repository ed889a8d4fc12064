/** A spec to SVG, whatever its kind. */
import type { PictureSpec } from "../../analyses/picture.ts";
import { type Drawing, type FrameOptions, frame } from "./drawing.ts";
import { drawHist } from "./hist.ts";
import { drawImshow } from "./imshow.ts";
import { drawLine } from "./line.ts";
import { loadCharts, type Plotting } from "./plotting.ts";
import { drawScatter } from "./scatter.ts";
import { drawTokens } from "./tokens.ts";

export const DEFAULT_WIDTH = 680;

export interface DrawOptions extends FrameOptions {
  /** In CSS pixels, instead of the spec's own. */
  readonly width?: number;
}

/** The spec as a standalone SVG document. */
export async function drawSvg(spec: PictureSpec, options: DrawOptions = {}): Promise<string> {
  const width = options.width ?? spec.width ?? DEFAULT_WIDTH;
  const drawing = spec.kind === "tokens" ? drawTokens(spec, width) : drawChart(spec, width, await loadCharts());
  return frame(spec, drawing, options);
}

function drawChart(spec: Exclude<PictureSpec, { kind: "tokens" }>, width: number, plotting: Plotting): Drawing {
  switch (spec.kind) {
    case "imshow":
      return drawImshow(spec, width, plotting);
    case "line":
      return drawLine(spec, width, plotting);
    case "scatter":
      return drawScatter(spec, width, plotting);
    case "hist":
      return drawHist(spec, width, plotting);
  }
}
