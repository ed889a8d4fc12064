import type { FacetsSpec } from "../../finding/picture.ts";
import { coloring } from "../color.ts";
import { escapeMarkup } from "../escape.ts";
import { placed } from "./at-places.ts";
import { cellNumbers } from "./cell-numbers.ts";
import { type Drawing, round, svgText } from "./drawing.ts";
import { largest } from "./limits.ts";
import { arePixels } from "./many-cells.ts";
import { cellImage, checkCells } from "./pixels.ts";
import { textSize } from "./text-size.ts";
import { columnTickHeight, columnTicks, indices, leftTicks, tickLabels, widest } from "./ticks.ts";
import { cellTip, withOwn } from "./tip.ts";

const TITLE = 18;
const GAP = 16;
const LARGEST_CELL = 26;
/** Facets are placed side by side as long as a cell is this wide; on a phone, a little less. */
const SMALLEST_CELL = 12;
const SMALLEST_CELL_NARROW = 9;
const LONGEST_LABEL = 16;
/** Slanted labels would run under the neighbouring facet. */
const UPRIGHT = { upright: true };

/** Heatmaps of one size on one scale, with row labels at the left edge and column labels under the lowest heatmap of each column. */
export async function drawFacets(spec: FacetsSpec, width: number, themes?: boolean): Promise<Drawing> {
  const { facets } = spec;
  const rows = facets[0]?.values.length ?? 0;
  const columns = facets[0]?.values[0]?.length ?? 0;
  checkCells(rows, columns, facets.length);
  const pixels = arePixels(spec);
  const colors = coloring(
    spec.color,
    facets.flatMap((facet) => facet.values.flat()),
  );
  const left = tickLabels(spec.y?.ticks, rows, LONGEST_LABEL);
  const below = tickLabels(spec.x?.ticks, columns, LONGEST_LABEL);
  const margin = widest(left) + 8 + (spec.y?.label ? 20 : 0);
  const free = width - margin;

  const titles = largest(
    facets.map(({ title }) => textSize(title, 12)),
    0,
  );
  const across = sideBySide(
    spec,
    Math.max(titles, columns * (width < 560 ? SMALLEST_CELL_NARROW : SMALLEST_CELL)),
    free,
  );
  const side = (free - (across - 1) * GAP) / across;
  const cell = Math.min(LARGEST_CELL, side / Math.max(1, columns));
  const pitch = Math.max(columns * cell, titles) + GAP;
  const tall = pixels ? Math.min(cell, (1.5 * width) / rows) : Math.max(Math.min(cell, LARGEST_CELL), 5);
  const bands = Math.ceil(facets.length / across);
  const bandHeight = TITLE + rows * tall + 8;

  const parts: string[] = [];
  const boxes = facets.map((_, f) => {
    const [x, y] = [margin + (f % across) * pitch, Math.floor(f / across) * bandHeight];
    return { x, y: y + TITLE, width: cell, height: tall };
  });
  const grids = facets.map(({ values }) => values);
  const numbers = pixels ? [] : cellNumbers(grids, colors, spec.color?.unit, boxes);
  for (const [f, facet] of facets.entries()) {
    const { x } = boxes[f];
    const y = boxes[f].y - TITLE;
    const cells = (pixels ? [] : facet.values).flatMap((row, r) =>
      row.map((value, c) => {
        const title = facetTip(spec, facet, r, c, value);
        return (
          `<rect x="${round(x + c * cell)}" y="${round(y + TITLE + r * tall)}" width="${round(cell)}" height="${round(tall)}" ` +
          `fill="${colors.of(value)}"${placed(facet.places?.[r]?.[c])}><title>${escapeMarkup(title)}</title></rect>`
        );
      }),
    );
    const image = pixels ? await cellImage(facet.values, colors.of, boxes[f], themes) : "";
    const lowest = f + across >= facets.length;
    parts.push(
      svgText(facet.title, x, y + 12, `font-size="12" font-weight="600"`) +
        (image || `<g data-mark="cell" shape-rendering="crispEdges">${cells.join("")}</g>`) +
        (numbers[f] ?? "") +
        (f % across === 0 ? leftTicks(left, margin - 6, y + TITLE, tall) : "") +
        (lowest ? columnTicks(below, x, y + TITLE + rows * tall, cell, UPRIGHT) : ""),
    );
  }
  const gridHeight = bands * bandHeight - 8;
  const axis = `text-anchor="middle"`;
  const labelled = columnTickHeight(below, cell, UPRIGHT);
  const gridWidth = (across - 1) * pitch + columns * cell;
  if (spec.y?.label) {
    const middle = round(gridHeight / 2);
    parts.push(svgText(spec.y.label, 12, middle, `transform="rotate(-90,12,${middle})" ${axis}`));
  }
  if (spec.x?.label) {
    const half = textSize(spec.x.label, 12) / 2;
    const middle = Math.max(half, Math.min(margin + gridWidth / 2, width - half));
    parts.push(svgText(spec.x.label, middle, gridHeight + labelled + 12, axis));
  }
  const height = gridHeight + labelled + (spec.x?.label ? 18 : 0);
  return { width, height, content: parts.join(""), legend: [{ kind: "ramp", coloring: colors }] };
}

/** How many heatmaps of at least this width fit side by side; of those that belong in rows, as many as make whole rows. */
function sideBySide({ facets, perRow = facets.length }: FacetsSpec, least: number, free: number): number {
  const most = Math.max(1, Math.min(perRow, facets.length, Math.floor((free + GAP) / (least + GAP))));
  if (perRow >= facets.length) return most;
  return indices(most).findLast((i) => perRow % (i + 1) === 0)! + 1;
}

/** A cell's tip, which also says in which of the heatmaps it is. */
function facetTip(
  spec: FacetsSpec,
  { title, titles }: FacetsSpec["facets"][number],
  row: number,
  column: number,
  value: number | null,
): string {
  const own = titles?.[row]?.[column];
  if (own === undefined) return cellTip(spec, row, column, value, title);
  return own.includes(title) ? own : withOwn(title, own);
}
