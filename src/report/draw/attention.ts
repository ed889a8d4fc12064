/** Attention heads without a page: one large with its tokens, and all of them small. */
import type { AttentionSpec } from "../../finding/picture.ts";
import { base64 } from "../../tensor/base64.ts";
import { type AttentionColors, attentionColors, type CellColor } from "./attention-colors.ts";
import { checkWeights, focusedHead, headName, metricsLine, smallPrint } from "./attention-focus.ts";
import { isLayered, layerAndHead } from "./attention-rows.ts";
import { type CellBox, cellPaths, placedCells } from "./cells.ts";
import { type Drawing, MONO, round, svgText, wrap } from "./drawing.ts";
import { rgbaPng } from "./png.ts";
import { columnTickHeight, columnTicks, every, indices, leftTicks, TICK_SIZE, tickLabels, widest } from "./ticks.ts";

const LARGEST_CELL = 28;
const LONGEST_LABEL = 16;
const NAME = 15;
const LARGEST_THUMB = 112;
const SMALLEST_THUMB = 46;
const GAP = 8;
/** The room for the words "query" and "key" along the large view. */
const AXIS_NAME = 18;
/** Patterns with more cells along a side are images. */
const MOST_CELLS = { large: 160, small: 24 };
/** Labels closer than this touch. */
const LABEL_PITCH = 11.5;

interface Block {
  readonly width: number;
  readonly height: number;
  readonly content: string;
}

/** One head large, with its tokens; the others small next to it if there is room, or else below. */
export async function drawAttention(spec: AttentionSpec, width: number): Promise<Drawing> {
  checkWeights(spec.heads.length, spec.tokens.length);
  const colors = attentionColors(spec);
  const focus = focusedHead(spec, colors);
  const legend = [{ kind: "ramp", coloring: colors.scale(focus) } as const];
  const several = spec.heads.length > 1;
  const heading = several ? nameOf(spec, focus, colors, width) : { width, height: 0, content: "" };
  const thumbs = { spec, colors, focus };
  const beside = await largeView(spec, several ? width * 0.64 : Math.min(width, 620), focus, colors);
  const parts = [placed(heading.content, 0, 0)];
  const top = heading.height;
  let height: number;
  const small = width < 560 || !several ? undefined : gridBeside(spec, width - beside.width - 28, beside.height);
  if (!several || small) {
    parts.push(placed(beside.content, 0, top));
    height = top + beside.height;
    if (small) {
      const grid = await namedGrid(thumbs, small);
      parts.push(placed(grid.content, beside.width + 28, Math.max(0, top - NAME - 2)));
      height = Math.max(height, grid.height);
    }
  } else {
    const large = await largeView(spec, Math.min(width, 520), focus, colors);
    const grid = isLayered(spec) ? await layeredGrid(thumbs, width) : await namedGrid(thumbs, gridBelow(spec, width));
    parts.push(placed(large.content, 0, top), placed(grid.content, 0, top + large.height + 14));
    height = top + large.height + 14 + grid.height;
  }
  const note = lines(smallPrint(spec, colors), width, height + 8);
  return { width, height: height + note.height, content: parts.join("") + note.content, legend };
}

/** The large head's name and metrics. */
function nameOf(spec: AttentionSpec, focus: number, colors: AttentionColors, width: number): Block {
  const facts = lines(metricsLine(spec, focus), width, 17);
  const name = svgText(headName(spec, focus, colors), 0, 11, `font-weight="600"`);
  return { width, height: NAME + 4 + facts.height, content: name + facts.content };
}

/** Small print. */
function lines(text: string, width: number, y: number): Block {
  const wrapped = text ? wrap(text, width, 11 * 0.54) : [];
  const content = wrapped.map((line, i) => svgText(line, 0, y + 10 + 15 * i, `font-size="11" opacity="0.75"`)).join("");
  return { width, height: wrapped.length > 0 ? 15 * wrapped.length + 4 : 0, content };
}

/** One pattern with its tokens: queries down, keys across. `most` is the largest width. */
async function largeView(spec: AttentionSpec, most: number, head: number, colors: AttentionColors): Promise<Block> {
  const count = spec.tokens.length;
  const labels = tickLabels(spec.tokens, count, LONGEST_LABEL);
  const left = widest(labels) + 8 + AXIS_NAME;
  const free = (most - left - 2) / Math.max(1, count);
  const cell = free >= 8 ? Math.min(LARGEST_CELL, Math.floor(free)) : free;
  const side = count * cell;
  const shown = cell >= LABEL_PITCH ? labels : every(count, LABEL_PITCH / cell).map((i) => labels[i]);
  const below = columnTickHeight(shown, cell);
  const width = left + side + 2;
  const height = side + below + AXIS_NAME + 2;
  const axis = `font-size="11" opacity="0.75" text-anchor="middle"`;
  const middle = round(1 + side / 2);
  return {
    width,
    height,
    content:
      (await cellsIn({ x: left, y: 1, width: side, height: side }, count, MOST_CELLS.large, (n) =>
        colors.cells(head, n),
      )) +
      outline(left, 1, side, `stroke-opacity="0.3"`) +
      tokenTicks(labels, left, side, cell) +
      svgText("query", 10, 1 + side / 2, `transform="rotate(-90,10,${middle})" ${axis}`) +
      svgText("key", left + side / 2, height - 4, axis),
  };
}

/** Labels along both sides. If not all of them fit, both sides have those of the same tokens. */
function tokenTicks(labels: readonly string[], left: number, side: number, cell: number): string {
  if (cell >= LABEL_PITCH) return leftTicks(labels, left - 6, 1, cell) + columnTicks(labels, left, 1 + side, cell);
  return every(labels.length, LABEL_PITCH / cell)
    .map((i) => {
      const at = left + (i + 0.5) * cell;
      const y = 1 + side + 7;
      const turn = `text-anchor="end" transform="rotate(-90,${round(at + 4)},${round(y)})" font-family="${MONO}" font-size="${TICK_SIZE}"`;
      return leftTicks([labels[i]], left - 6, 1 + i * cell, cell) + svgText(labels[i], at + 4, y, turn);
    })
    .join("");
}

/** Cells in a box: as paths, or as an image if there are too many. */
async function cellsIn(
  box: CellBox,
  count: number,
  mostPaths: number,
  colorsOf: (side: number) => CellColor,
): Promise<string> {
  if (count <= mostPaths) {
    const size = box.width / Math.max(1, count);
    const paths = cellPaths(count, count, colorsOf(count), (color) => `stroke="${color}"`);
    return placedCells(paths, { x: box.x, y: box.y, width: size, height: size });
  }
  const side = Math.min(count, Math.floor(2 * box.width));
  const colorOf = colorsOf(side);
  const pixels = new Uint8Array(4 * side * side);
  for (let query = 0; query < side; query++) {
    for (let key = 0; key < side; key++) {
      const color = colorOf(query, key);
      if (color === null) continue;
      const rgb = Number.parseInt(color.slice(1), 16);
      pixels.set([rgb >> 16, (rgb >> 8) & 255, rgb & 255, 255], 4 * (query * side + key));
    }
  }
  const sharp = side < box.width ? ` image-rendering="optimizeSpeed" style="image-rendering:pixelated"` : "";
  return (
    `<image x="${round(box.x)}" y="${round(box.y)}" width="${round(box.width)}" height="${round(box.height)}"${sharp} ` +
    `href="data:image/png;base64,${base64(await rgbaPng(side, side, pixels))}"/>`
  );
}

interface Thumbs {
  readonly spec: AttentionSpec;
  readonly colors: AttentionColors;
  readonly focus: number;
}

/** A small pattern, its upper left corner at 0, 0. */
async function drawThumb({ spec, colors, focus }: Thumbs, head: number, size: number): Promise<string> {
  const box = { x: 0, y: 0, width: size, height: size };
  const cells = await cellsIn(box, spec.tokens.length, MOST_CELLS.small, (side) => colors.cells(head, side));
  return cells + outline(0, 0, size, head === focus ? `stroke-width="2"` : `stroke-opacity="0.3"`);
}

interface Grid {
  readonly columns: number;
  readonly size: number;
}

/** Small patterns under their names. */
async function namedGrid(thumbs: Thumbs, { columns, size }: Grid): Promise<Block> {
  const { spec, focus } = thumbs;
  const step = { x: size + GAP, y: size + NAME + 4 };
  const parts = spec.heads.map(async ({ name }, head) => {
    const label = svgText(name, 0, 11, `font-size="11"${head === focus ? ` font-weight="700"` : ""}`);
    const content = label + placed(await drawThumb(thumbs, head, size), 0, NAME);
    return placed(content, (head % columns) * step.x, Math.floor(head / columns) * step.y);
  });
  const height = Math.ceil(spec.heads.length / columns) * step.y;
  return { width: columns * step.x, height, content: (await Promise.all(parts)).join("") };
}

async function layeredGrid(thumbs: Thumbs, width: number): Promise<Block> {
  const { spec } = thumbs;
  const columns = spec.perRow!;
  const [left, top] = [36, 32];
  const step = (width - left) / columns;
  const rows = Math.ceil(spec.heads.length / columns);
  const small = `font-size="11" opacity="0.75"`;
  const labels = [
    ...indices(columns).map((i) =>
      svgText(
        layerAndHead(spec.heads[i].name)[1],
        left + (i + 0.5) * step - 2,
        top - 6,
        `text-anchor="middle" ${small}`,
      ),
    ),
    ...indices(rows).map((i) =>
      svgText(
        layerAndHead(spec.heads[i * columns].name)[0],
        left - 7,
        top + (i + 0.5) * step + 2,
        `text-anchor="end" ${small}`,
      ),
    ),
    svgText("head", left + (columns * step) / 2, 11, `text-anchor="middle" ${small}`),
    svgText(
      "layer",
      10,
      top + (rows * step) / 2,
      `text-anchor="middle" transform="rotate(-90,10,${round(top + (rows * step) / 2)})" ${small}`,
    ),
  ];
  const cells = spec.heads.map(async (_, head) =>
    placed(
      await drawThumb(thumbs, head, step - 4),
      left + (head % columns) * step,
      top + Math.floor(head / columns) * step,
    ),
  );
  return { width, height: top + rows * step, content: labels.join("") + (await Promise.all(cells)).join("") };
}

/** The largest thumbnails that fit next to the large view, with whole layers in whole rows if possible. */
function gridBeside(spec: AttentionSpec, width: number, height: number): Grid | undefined {
  const count = spec.heads.length;
  const fitting = indices(count).flatMap((i) => {
    const columns = i + 1;
    const size = Math.min(LARGEST_THUMB, (width - i * GAP) / columns);
    return size >= SMALLEST_THUMB && Math.ceil(count / columns) * (size + NAME + 4) <= height
      ? [{ columns, size }]
      : [];
  });
  return fitting.find(({ columns }) => (spec.perRow ?? columns) % columns === 0) ?? fitting[0];
}

/** A layer's heads in one row, or in rows of equal length if they would be too small. */
function gridBelow(spec: AttentionSpec, width: number): Grid {
  const fit = Math.max(1, Math.floor((width + GAP) / (SMALLEST_THUMB + GAP)));
  const wanted = spec.perRow ?? Math.min(spec.heads.length, 8);
  let columns = Math.min(wanted, fit);
  for (let few = columns; few > fit / 2; few--) {
    if (wanted % few !== 0) continue;
    columns = few;
    break;
  }
  return { columns, size: Math.min(LARGEST_THUMB, (width - (columns - 1) * GAP) / columns) };
}

function outline(x: number, y: number, size: number, line: string): string {
  return `<rect x="${round(x)}" y="${round(y)}" width="${round(size)}" height="${round(size)}" fill="none" stroke="currentColor" ${line}/>`;
}

function placed(content: string, x: number, y: number): string {
  return `<g transform="translate(${round(x)},${round(y)})">${content}</g>`;
}
