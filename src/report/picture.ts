import type { PictureSpec } from "../finding/picture.ts";
import { showAs } from "../tensor/display.ts";
import { GlassformerError } from "../tensor/errors.ts";
import { type DrawOptions, drawSvg } from "./draw/draw.ts";
import { picturePage } from "./html.ts";
import { type PngOptions, rasterize } from "./rasterize.ts";

/** A picture that can be rendered in any form, in Node and in a page. Charts load their drawing library when first drawn. */
export interface Picture {
  /**
   * The picture as plain data: for a finding, for JSON, or for drawing it elsewhere.
   * @throws GlassformerError if it is of a tensor that has not been computed; drawing it computes it
   */
  readonly spec: PictureSpec;
  /** A standalone SVG document. */
  svg(options?: DrawOptions): Promise<string>;
  /** A self-contained HTML page: light and dark, hover and keyboard, no requests. */
  html(): Promise<string>;
  /** @throws GlassformerError if no rasterizer or no font is available. */
  png(options?: PngOptions): Promise<Uint8Array>;
}

/** The picture that a spec describes. */
export function picture(spec: PictureSpec): Picture {
  return pictureFrom(
    spec,
    () => spec,
    async () => spec,
  );
}

/** A picture whose numbers are computed when it is first drawn. @param expected the same with other numbers, for its name and kind */
export function pictureLater(expected: PictureSpec, compute: () => Promise<PictureSpec>): Picture {
  let found: Promise<PictureSpec> | undefined;
  let known: PictureSpec | undefined;
  const spec = () => {
    if (known) return known;
    throw new GlassformerError(
      "The numbers of this picture have not been computed, so it has no spec yet: await its svg(), html() or png() first, or make it of computed tensors (`await x.compute()`).",
    );
  };
  return pictureFrom(expected, spec, async () => {
    if (known) return known;
    found ??= compute();
    try {
      known = await found;
    } finally {
      found = undefined; // after a failure, another attempt may succeed
    }
    return known;
  });
}

const specs = new WeakMap<object, () => Promise<PictureSpec>>();

/** Whether something is a picture, also one of another copy of this library. */
export function isPicture(x: object): x is Picture {
  return "spec" in x && typeof (x as Partial<Picture>).svg === "function";
}

/** A picture's spec, computed if it has to be. */
export async function specOf(picture: Picture): Promise<PictureSpec> {
  const own = specs.get(picture);
  if (own) return own();
  await picture.svg(); // computes it
  return picture.spec;
}

function pictureFrom(
  { name, kind, title }: PictureSpec,
  spec: () => PictureSpec,
  drawn: () => Promise<PictureSpec>,
): Picture {
  const made: Picture = {
    get spec() {
      return spec();
    },
    svg: async (options) => drawSvg(await drawn(), options),
    html: async () => picturePage(await drawn()),
    png: async (options) => rasterize(await drawSvg(await drawn()), options),
  };
  specs.set(made, drawn);
  return showAs(made, () => `Picture ${name} (${kind})${title ? `: ${title}` : ""}; await its svg(), html() or png()`);
}

/** The options of every chart function. */
export interface PictureOptions {
  /** Default: the kind of chart. */
  readonly name?: string | undefined;
  readonly title?: string | undefined;
  readonly caption?: string | undefined;
  /** In CSS pixels. */
  readonly width?: number | undefined;
  readonly height?: number | undefined;
}

/** The options that are part of every spec, without undefined ones. */
export function baseOf(kind: string, { name, title, caption, width, height }: PictureOptions) {
  return defined({ name: name ?? kind, title: title ?? "", caption, width, height });
}

/** An object without its undefined fields: JSON has no undefined, so optional fields of a spec are either absent or defined. */
export function defined<T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, v]) => v !== undefined)) as never;
}
