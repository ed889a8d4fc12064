/**
 * Images of cells in drawings become canvases, because the policy of a page may allow no `data:` images. They show the same pixels, with the
 * same class, so that the style sheet shows those for light or for dark.
 */
import { fromBase64 } from "../../../tensor/base64.ts";
import { all, type Root } from "./root.ts";

const PREFIX = "data:image/png;base64,";

/** @throws what the browser throws for an image that it cannot read */
export async function imagesToCanvases(root: Root | DocumentFragment): Promise<void> {
  await Promise.all(all<SVGImageElement>("image", root).map(toCanvas));
}

async function toCanvas(image: SVGImageElement): Promise<void> {
  const source = image.getAttribute("href") ?? "";
  if (!source.startsWith(PREFIX)) return;
  const bitmap = await createImageBitmap(new Blob([fromBase64(source.slice(PREFIX.length))], { type: "image/png" }));
  const canvas = document.createElement("canvas");
  canvas.width = bitmap.width;
  canvas.height = bitmap.height;
  canvas.getContext("2d")!.drawImage(bitmap, 0, 0);
  bitmap.close();
  const look = { display: "block", width: "100%", height: "100%", imageRendering: image.style.imageRendering };
  Object.assign(canvas.style, look);
  const place = document.createElementNS("http://www.w3.org/2000/svg", "foreignObject");
  for (const name of ["x", "y", "width", "height", "class"]) {
    const value = image.getAttribute(name);
    if (value !== null) place.setAttribute(name, value);
  }
  place.append(canvas);
  image.replaceWith(place);
}
