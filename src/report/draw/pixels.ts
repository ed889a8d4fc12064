/** Draws many cells as the pixels of one image: a node for each cell would use up a browser's memory and take minutes. */
import { base64 } from "../../tensor/base64.ts";
import { darkOf } from "../color.ts";
import type { CellBox } from "./cells.ts";
import { round } from "./drawing.ts";
import { atMost } from "./limits.ts";
import { indexedPng } from "./png.ts";

/** The most cells that a picture can have: no screen has more pixels. */
const MOST_CELLS = 4_000_000;

/** @throws ArgumentError for more cells than a picture can show */
export function checkCells(rows: number, columns: number, pictures = 1): void {
  const shape = `${pictures > 1 ? `${pictures} x ` : ""}${rows} x ${columns}`;
  atMost(MOST_CELLS, rows * columns * pictures, `cells (${shape})`, "show a part of it, or means of blocks");
}

type Cells = readonly (readonly (number | null)[])[];

/**
 * The cells as an image in its box. With `themes` there are two images, in the colours of a white page and of a dark one;
 * the style sheet shows one of them (see page/pixels-style.ts), and a transparent box on top receives the pointer.
 */
export async function cellImage(
  cells: Cells,
  colorOf: (value: number | null) => string,
  box: CellBox,
  themes = false,
): Promise<string> {
  const [rows, columns] = [cells.length, cells[0]?.length ?? 0];
  if (rows === 0 || columns === 0) return "";
  const index = new Map<string, number>();
  const pixels = new Uint8Array(rows * columns);
  cells.forEach((row, r) => {
    row.forEach((value, c) => {
      const color = colorOf(value);
      let at = index.get(color);
      if (at === undefined) index.set(color, (at = index.size));
      pixels[r * columns + c] = at;
    });
  });
  const place = `x="${round(box.x)}" y="${round(box.y)}" width="${round(columns * box.width)}" height="${round(rows * box.height)}"`;
  // Cells smaller than a pixel are averaged, so that none is lost; larger ones keep sharp edges.
  const sharp =
    Math.min(box.width, box.height) >= 1 ? ` image-rendering="optimizeSpeed" style="image-rendering:pixelated"` : "";
  const image = async (palette: readonly string[], name: string) =>
    `<image ${name}${place} preserveAspectRatio="none"${sharp} href="data:image/png;base64,${base64(await indexedPng(columns, rows, pixels, palette))}"/>`;
  const light = [...index.keys()];
  if (!themes) return image(light, "");
  const dark = light.map((color) => darkOf(color) ?? color);
  return (
    (await image(light, `class="on-light" `)) +
    (await image(dark, `class="on-dark" `)) +
    `<rect class="hit" ${place} fill="none" pointer-events="all"/>`
  );
}
