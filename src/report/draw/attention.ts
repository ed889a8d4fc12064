import type { AttentionSpec } from "../../finding/picture.ts";
import { ALL_HEADS, type AttentionColors, attentionColors } from "./attention-colors.ts";
import { cellPaths, placedCells } from "./cells.ts";
import { type Drawing, round, svgText } from "./drawing.ts";
import { columnTickHeight, columnTicks, indices, leftTicks, tickLabels, widest } from "./ticks.ts";

const LARGEST_CELL = 28;
const LONGEST_LABEL = 16;
const NAME = 15;
const LARGEST_THUMB = 112;
const SMALLEST_THUMB = 46;
const GAP = 8;
/** The room for the words "query" and "key" along the large view. */
const AXIS_NAME = 18;

interface Block {
  readonly width: number;
  readonly height: number;
  readonly content: string;
}

/** The index of the head that is drawn large. */
export function focusedHead(spec: AttentionSpec): number {
  if (spec.heads.length === 1) return 0;
  return spec.heads.findIndex((head) => head.name === spec.focus);
}

export function headName(spec: AttentionSpec, head: number, { signed }: AttentionColors): string {
  if (head !== ALL_HEADS) return spec.heads[head].name;
  return signed ? "mean of all heads" : "all heads, mixed by hue";
}

/** One head large, with its tokens; the others small next to it if there is room, or else below. */
export function drawAttention(spec: AttentionSpec, width: number): Drawing {
  const colors = attentionColors(spec);
  const focus = focusedHead(spec);
  const legend = [{ kind: "ramp", coloring: colors.scale(focus) } as const];
  const paint = (color: string) => `stroke="${color}"`;
  const several = spec.heads.length > 1;
  const name = several ? svgText(headName(spec, focus, colors), 0, 11, `font-weight="600"`) : "";
  const top = several ? NAME + 4 : 0;
  const view = (most: number) => largeView(spec, most, (q, k) => colors.hex(focus, q, k), paint);
  const thumb = (head: number, size: number) => drawThumb(spec, head, size, colors, head === focus);

  if (!several) {
    const large = view(Math.min(width, 620));
    return { width, height: large.height, content: large.content, legend };
  }
  const beside = view(width * 0.64);
  const room = width - beside.width - 28;
  const small = width < 560 ? undefined : gridBeside(spec, room, beside.height);
  if (small) {
    const thumbs = spec.heads.map((_, i) => {
      const x = beside.width + 28 + (i % small.columns) * (small.size + GAP);
      const y = top + Math.floor(i / small.columns) * (small.size + NAME + 4) - NAME - 2;
      return placed(thumb(i, small.size), x, Math.max(0, y));
    });
    const height = Math.max(
      top + beside.height,
      Math.ceil(spec.heads.length / small.columns) * (small.size + NAME + 4),
    );
    return { width, height, content: name + placed(beside.content, 0, top) + thumbs.join(""), legend };
  }
  const large = view(Math.min(width, 520));
  const columns = columnsBelow(spec, width);
  const size = Math.min(LARGEST_THUMB, (width - (columns - 1) * GAP) / columns);
  const from = top + large.height + 14;
  const thumbs = spec.heads.map((_, i) =>
    placed(thumb(i, size), (i % columns) * (size + GAP), from + Math.floor(i / columns) * (size + NAME + 5)),
  );
  const height = from + Math.ceil(spec.heads.length / columns) * (size + NAME + 5);
  return { width, height, content: name + placed(large.content, 0, top) + thumbs.join(""), legend };
}

/** One pattern with its tokens: queries down, keys across. `most` is the largest width. */
export function largeView(
  spec: AttentionSpec,
  most: number,
  colorOf: (query: number, key: number) => string | null,
  paint: (color: string) => string,
): Block {
  const count = spec.tokens.length;
  const labels = tickLabels(spec.tokens, count, LONGEST_LABEL);
  const left = widest(labels) + 8 + AXIS_NAME;
  const free = (most - left - 2) / Math.max(1, count);
  const cell = free >= 8 ? Math.min(LARGEST_CELL, Math.floor(free)) : free;
  const side = count * cell;
  const below = columnTickHeight(labels, cell);
  const width = left + side + 2;
  const height = side + below + AXIS_NAME + 2;
  const axis = `font-size="11" opacity="0.75" text-anchor="middle"`;
  const middle = round(1 + side / 2);
  return {
    width,
    height,
    content:
      placedCells(cellPaths(count, count, colorOf, paint), { x: left, y: 1, width: cell, height: cell }) +
      `<rect x="${round(left)}" y="1" width="${round(side)}" height="${round(side)}" fill="none" stroke="currentColor" stroke-opacity="0.3"/>` +
      leftTicks(labels, left - 6, 1, cell) +
      columnTicks(labels, left, 1 + side, cell) +
      svgText("query", 10, 1 + side / 2, `transform="rotate(-90,10,${middle})" ${axis}`) +
      svgText("key", left + side / 2, height - 4, axis),
  };
}

function drawThumb(spec: AttentionSpec, head: number, size: number, colors: AttentionColors, focused: boolean): string {
  const count = spec.tokens.length;
  const cell = size / Math.max(1, count);
  const paths = cellPaths(
    count,
    count,
    (q, k) => colors.hex(head, q, k),
    (color) => `stroke="${color}"`,
  );
  const line = focused ? `stroke-width="2"` : `stroke-opacity="0.3"`;
  return (
    svgText(spec.heads[head].name, 0, 11, `font-size="11"${focused ? ` font-weight="700"` : ""}`) +
    placedCells(paths, { x: 0, y: NAME, width: cell, height: cell }) +
    `<rect x="0" y="${NAME}" width="${round(size)}" height="${round(size)}" fill="none" stroke="currentColor" ${line}/>`
  );
}

/** The largest thumbnails that fit next to the large view, with whole layers in whole rows if possible. */
function gridBeside(spec: AttentionSpec, width: number, height: number): { columns: number; size: number } | undefined {
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
function columnsBelow(spec: AttentionSpec, width: number): number {
  const fit = Math.max(1, Math.floor((width + GAP) / (SMALLEST_THUMB + GAP)));
  const wanted = spec.perRow ?? Math.min(spec.heads.length, 8);
  for (let columns = Math.min(wanted, fit); columns > fit / 2; columns--) if (wanted % columns === 0) return columns;
  return Math.min(wanted, fit);
}

function placed(content: string, x: number, y: number): string {
  return `<g transform="translate(${round(x)},${round(y)})">${content}</g>`;
}
