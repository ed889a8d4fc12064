/** SVG to PNG, by what the platform draws with: a page on its canvas (canvas.ts), Node with resvg (resvg.ts). */
import { platform } from "../platform.ts";
import { ArgumentError, GlassformerError } from "../tensor/errors.ts";
import type { Complete } from "../tensor/options.ts";
import { shown } from "../tensor/show.ts";

export interface PngOptions {
  /** Pixels of the PNG per CSS pixel of the picture. Default 2. */
  readonly scale?: number | undefined;
  /** A CSS colour behind the picture. Default white. */
  readonly background?: string | undefined;
}

const DEFAULT_SCALE = 2;

export type Rasterizer = (svg: string, options: Complete<PngOptions>) => Promise<Uint8Array>;

/** @throws GlassformerError where nothing can draw a PNG. */
export async function rasterize(svg: string, options: PngOptions = {}): Promise<Uint8Array> {
  const rasterizer: Rasterizer | undefined = platform().rasterize;
  if (!rasterizer) {
    throw new GlassformerError(
      "A PNG cannot be drawn, because no rasterizer is available. Import glassformer's Node or web entry, or use SVG.",
    );
  }
  const scale = options.scale ?? DEFAULT_SCALE;
  checkSize(svg, scale);
  return rasterizer(svg, { scale, background: options.background ?? "white" });
}

/** The most pixels of a PNG: each takes four bytes while it is drawn. */
const MOST_PIXELS = 64_000_000;

/** The size of an SVG, in its own pixels. */
function sizeOf(svg: string): [width: number, height: number] {
  const [width, height] = ["width", "height"].map((name) => Number(new RegExp(` ${name}="([\\d.]+)"`).exec(svg)?.[1]));
  return [width, height];
}

/** The default scale, or less for a picture that would otherwise have too many pixels. */
export function fittingScale(svg: string): number {
  const [width, height] = sizeOf(svg);
  // A little less than what fits exactly, because both sides are rounded up.
  return Math.min(DEFAULT_SCALE, 0.999 * Math.sqrt(MOST_PIXELS / (width * height)));
}

/** @throws ArgumentError for a scale that is not a positive number, or a PNG with too many pixels */
function checkSize(svg: string, scale: number): void {
  if (!(scale > 0 && scale < Number.POSITIVE_INFINITY)) {
    throw new ArgumentError(`The PNG's scale must be a number above 0, not ${shown(scale)}.`, { asked: scale });
  }
  const [width, height] = sizeOf(svg).map((pixels) => Math.ceil(scale * pixels));
  if (width * height <= MOST_PIXELS) return;
  throw new ArgumentError(
    `The PNG would have ${width.toLocaleString("en")} x ${height.toLocaleString("en")} pixels, more than the ${MOST_PIXELS / 1e6} million allowed: choose a smaller scale, or use SVG or HTML.`,
    { asked: width * height, found: MOST_PIXELS },
  );
}
