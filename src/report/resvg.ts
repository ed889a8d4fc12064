/**
 * The rasterizer for Node. Only the Node entry imports this file, and resvg itself is loaded with the first PNG.
 *
 * resvg reads only the first name in a font list, and if the machine has no fonts it silently leaves out all text.
 * So this file searches the list for the first font that exists, and a machine without fonts is an error: a chart
 * without its numbers must not pass for a chart.
 */
import type { Resvg } from "@resvg/resvg-js";
import { GlassformerError } from "../tensor/errors.ts";
import { FONT, MONO } from "./draw/drawing.ts";
import type { Rasterizer } from "./rasterize.ts";

type ResvgClass = typeof Resvg;

export const rasterizeWithResvg: Rasterizer = async (svg, { scale, background }) => {
  const { Resvg } = await import("@resvg/resvg-js");
  fonts ??= findFonts(Resvg);
  let named = svg;
  for (const [list, font] of fonts) named = named.replaceAll(list, font);
  return new Resvg(named, { background, fitTo: { mode: "zoom", value: scale } }).render().asPng();
};

/** For each of our font lists, the first font that this machine has. */
let fonts: Map<string, string> | undefined;

/**
 * Draws the same letters in every font of the lists and in one that does not exist: a font exists if its letters look
 * different from those. There is one drawing for all of them, because each drawing reads the machine's fonts again.
 */
function findFonts(Resvg: ResvgClass): Map<string, string> {
  const unknown = "no font has this name";
  const families = (list: string) => list.split(",").map((name) => name.trim().replaceAll("'", ""));
  const candidates = [unknown, ...families(FONT), ...families(MONO)];
  const texts = candidates.map((name, i) => `<text id="f${i}" y="20" font-family="${name}">iW0</text>`);
  const drawn = new Resvg(`<svg xmlns="http://www.w3.org/2000/svg" width="99" height="99">${texts.join("")}</svg>`)
    .toString()
    .split(/(?=id="f\d+")/);
  const outlines = new Map(
    candidates.map((name, i) => {
      const found = drawn.find((piece) => piece.startsWith(`id="f${i}"`));
      return [name, found?.match(/ d="[^"]*"/g)?.join("") ?? ""];
    }),
  );
  const fallback = outlines.get(unknown);
  if (!fallback) {
    throw new GlassformerError(
      "A PNG cannot be drawn, because this machine has no font for its text. " +
        "Install one (on Debian: fonts-dejavu-core), or use SVG or HTML, which use the reader's fonts.",
    );
  }
  return new Map(
    [FONT, MONO].map((list) => {
      const there = families(list).find((name) => outlines.get(name) && outlines.get(name) !== fallback);
      return [list, there ?? unknown];
    }),
  );
}
