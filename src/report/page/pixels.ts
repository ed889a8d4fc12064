import type { FacetsSpec, ImshowSpec, IndexAxis } from "../../finding/picture.ts";
import { tickLabels } from "../draw/ticks.ts";
import { escapeMarkup } from "../escape.ts";
import type { PixelsData } from "./client/pixels.ts";
import type { PageNeeds } from "./needs.ts";
import { packNumbers } from "./packed.ts";
import { PIXELS } from "./pixels-style.ts";

/** The most cells whose numbers a page includes for its tips; with more, tips only show row and column. */
const MOST_VALUES = 1_000_000;
const LONGEST_LABEL = 24;

/** Drawings whose cells are pixels, and the data for their tips. */
export function pixelsHtml(spec: ImshowSpec | FacetsSpec, drawings: string, needs: PageNeeds): string {
  needs.features.add(PIXELS);
  const images = spec.kind === "imshow" ? [spec.values] : spec.facets.map(({ values }) => values);
  const [rows, columns] = [images[0].length, images[0][0].length];
  const axis = ({ label = "", ticks }: IndexAxis = {}, count: number) => ({
    label,
    ...(ticks ? { ticks: tickLabels(ticks, count, LONGEST_LABEL) } : {}),
  });
  const data: PixelsData = {
    ...{ rows, columns, x: axis(spec.x, columns), y: axis(spec.y, rows), unit: spec.color?.unit ?? "" },
    ...(spec.kind === "facets" ? { titles: spec.facets.map(({ title }) => title) } : {}),
  };
  const values = rows * columns * images.length > MOST_VALUES ? "" : ` data-values="${packNumbers(images.flat(2))}"`;
  return `<div class="pixels" data-pixels="${escapeMarkup(JSON.stringify(data))}"${values}>${drawings}</div>`;
}
