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

export type Rasterizer = (svg: string, options: Complete<PngOptions>) => Promise<Uint8Array>;

/** @throws GlassformerError where nothing can draw a PNG. */
export async function rasterize(svg: string, options: PngOptions = {}): Promise<Uint8Array> {
  const rasterizer: Rasterizer | undefined = platform().rasterize;
  if (!rasterizer) {
    throw new GlassformerError(
      "A PNG was asked for, but nothing here can draw one. Import glassformer's Node or web entry, or take the SVG.",
    );
  }
  const scale = options.scale ?? 2;
  checkSize(svg, scale);
  return rasterizer(svg, { scale, background: options.background ?? "white" });
}

/** Pixels of a PNG: four bytes each while it is drawn. */
const MOST_PIXELS = 64_000_000;

/** @throws ArgumentError for a scale that is none, or a PNG of more pixels than fit */
function checkSize(svg: string, scale: number): void {
  if (!(scale > 0 && scale < Number.POSITIVE_INFINITY)) {
    throw new ArgumentError(`The PNG's scale is ${shown(scale)}, but it is a number above 0.`, { asked: scale });
  }
  const [width, height] = ["width", "height"].map((name) =>
    Math.ceil(scale * Number(new RegExp(` ${name}="([\\d.]+)"`).exec(svg)?.[1])),
  );
  if (width * height <= MOST_PIXELS) return;
  throw new ArgumentError(
    `The PNG would have ${width.toLocaleString("en")} x ${height.toLocaleString("en")} pixels, more than the ${MOST_PIXELS / 1e6} million that one may have: ask for a smaller scale, or take SVG or HTML.`,
    { asked: width * height, found: MOST_PIXELS },
  );
}
