import type { ImshowSpec } from "../../finding/picture.ts";
import { coloring } from "../color.ts";
import { textWidth } from "../token-text.ts";
import { atPlaces } from "./at-places.ts";
import { plotted } from "./axes.ts";
import { cellNumbers } from "./cell-numbers.ts";
import type { Drawing } from "./drawing.ts";
import { largest } from "./limits.ts";
import { cellImage, checkCells } from "./pixels.ts";
import type { Plotting } from "./plotting.ts";
import { every, indices, tickLabels } from "./ticks.ts";
import { cellTip } from "./tip.ts";

const LETTER = 6.8;
const LONGEST_LABEL = 24;
const MARGIN_TOP = 10;
/** The largest size of a cell: a few cells take only the room that their numbers need. */
const WIDEST_CELL = 64;
const TALLEST_CELL = 28;

/** With more cells than this, they become the pixels of one image. */
const MOST_NODES = 5000;

/** Whether the cells of a heatmap are drawn as pixels. */
export function isPixels({ values }: ImshowSpec): boolean {
  return values.length * (values[0]?.length ?? 0) > MOST_NODES;
}

export async function drawImshow(
  spec: ImshowSpec,
  width: number,
  plotting: Plotting,
  themes?: boolean,
): Promise<Drawing> {
  const { plot } = plotting;
  const rows = spec.values.length;
  const columns = spec.values[0]?.length ?? 0;
  checkCells(rows, columns);
  const pixels = isPixels(spec);
  const colors = coloring(spec.color, spec.values.flat());
  const left = tickLabels(spec.y?.ticks, rows, LONGEST_LABEL);
  const below = tickLabels(spec.x?.ticks, columns, LONGEST_LABEL);

  const marginLeft = Math.min(width * 0.4, 16 + largest(left.map(textWidth), 1) * LETTER + (spec.y?.label ? 20 : 0));
  const marginRight = 8;
  const free = width - marginLeft - marginRight;
  const perColumn = Math.min(pixels ? free : WIDEST_CELL, free / Math.max(1, columns));
  const gridWidth = perColumn * columns;
  const widest = largest(below.map(textWidth), 1) * LETTER;
  const upright = widest + 6 > perColumn && spec.x?.ticks !== undefined && perColumn >= 12;
  const marginBottom = (upright ? widest + 14 : 24) + (spec.x?.label ? 22 : 0);
  const named = spec.x?.ticks || spec.y?.ticks;
  const perRow = Math.max(pixels ? 0 : 4, Math.min(TALLEST_CELL, named ? TALLEST_CELL : perColumn));
  const tall = pixels ? Math.min(rows * perRow, 1.5 * width) : rows * perRow;
  const height = spec.height ?? Math.round(Math.max(TALLEST_CELL, tall) + MARGIN_TOP + marginBottom);

  const cells = (pixels ? [] : spec.values).flatMap((row, r) =>
    row.map((value, c) => ({
      c,
      r,
      color: colors.of(value),
      place: spec.places?.[r]?.[c],
      title: spec.titles?.[r]?.[c] ?? cellTip(spec, r, c, value, spec.words?.[r]?.[c]),
    })),
  );

  const drawing = plotted(
    plotting,
    {
      width: marginLeft + gridWidth + marginRight,
      height,
      marginLeft,
      marginRight,
      marginTop: MARGIN_TOP,
      marginBottom,
      color: { type: "identity" },
      x: { type: "band", domain: indices(columns), padding: 0, round: false },
      y: { type: "band", domain: indices(rows), padding: 0, round: false },
      marks: [
        plot.cell(cells, {
          x: "c",
          y: "r",
          fill: "color",
          title: "title",
          inset: perColumn > 11 && perRow > 11 ? 0.5 : 0,
          ...atPlaces(cells),
        }),
        plot.axisX(every(columns, (upright ? 14 : widest + 10) / perColumn), {
          label: spec.x?.label ?? null,
          labelAnchor: "center",
          labelArrow: "none",
          labelOffset: marginBottom - 4,
          tickSize: 0,
          tickFormat: (c: number) => below[c],
          tickRotate: upright ? -90 : 0,
        }),
        plot.axisY(every(rows, 18 / ((height - MARGIN_TOP - marginBottom) / Math.max(1, rows))), {
          label: spec.y?.label ?? null,
          labelAnchor: "center",
          labelArrow: "none",
          labelOffset: marginLeft - 6,
          tickSize: 0,
          tickFormat: (r: number) => left[r],
        }),
      ],
    },
    [{ kind: "ramp", coloring: colors }],
  );
  const box = {
    ...{ x: marginLeft, y: MARGIN_TOP, width: perColumn },
    height: (height - MARGIN_TOP - marginBottom) / Math.max(1, rows),
  };
  if (!pixels)
    return {
      ...drawing,
      width,
      content: drawing.content + cellNumbers([spec.values], colors, spec.color?.unit, [box])[0],
    };
  return { ...drawing, content: (await cellImage(spec.values, colors.of, box, themes)) + drawing.content };
}
