/** A page's rasterizer: its own canvas. */
import { GlassformerError } from "../tensor/errors.ts";
import type { Rasterizer } from "./rasterize.ts";

/** Draws an SVG as a PNG. @throws GlassformerError in a worker, and for one that is too big for this browser's canvas */
export const drawOnCanvas: Rasterizer = async (svg, { scale, background }) => {
  // An OffscreenCanvas is there, but createImageBitmap and ImageDecoder refuse SVG.
  if (typeof document === "undefined") {
    throw new GlassformerError(
      "A PNG cannot be drawn in a worker, because browsers only read SVG in a page: use SVG or HTML here, or draw the PNG in the page, to which the worker can post a finding.",
    );
  }
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = Math.ceil(image.width * scale);
  canvas.height = Math.ceil(image.height * scale);
  const context = canvas.getContext("2d")!;
  context.fillStyle = background;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, "image/png"));
  if (!blob) {
    throw new GlassformerError(
      `The picture of ${canvas.width} x ${canvas.height} pixels is too big for this browser's canvas; ask for a smaller scale.`,
      { asked: scale },
    );
  }
  return new Uint8Array(await blob.arrayBuffer());
};
