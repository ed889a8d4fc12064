import type { ImshowSpec } from "../../finding/picture.ts";
import { coloring } from "../color.ts";
import { textWidth } from "../token-text.ts";
import { middleLabels, SIZE, textsAtX, textsAtY } from "./axis-marks.ts";
import { cellNumbers } from "./cell-numbers.ts";
import { plotted } from "./chart.ts";
import type { Drawing } from "./drawing.ts";
import { largest } from "./limits.ts";
import { isPixels } from "./many-cells.ts";
import { rects } from "./marks.ts";
import { cellImage, checkCells } from "./pixels.ts";
import { every, tickLabels } from "./ticks.ts";
import { cellTip } from "./tip.ts";

const LETTER = 6.8;
const LONGEST_LABEL = 24;
const MARGIN_TOP = 10;
/** The largest size of a cell: a few cells take only the room that their numbers need. */
const WIDEST_CELL = 64;
const TALLEST_CELL = 28;

export async function drawImshow(spec: ImshowSpec, width: number, themes?: boolean): Promise<Drawing> {
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
      ...{ x1: c - 0.5, x2: c + 0.5, y1: r - 0.5, y2: r + 0.5 },
      look: { fill: colors.of(value) },
      place: spec.places?.[r]?.[c],
      title: spec.titles?.[r]?.[c] ?? cellTip(spec, r, c, value, spec.words?.[r]?.[c]),
    })),
  );

  const box = {
    ...{ x: marginLeft, y: MARGIN_TOP, width: perColumn },
    height: (height - MARGIN_TOP - marginBottom) / Math.max(1, rows),
  };
  const inset = perColumn > 11 && perRow > 11 ? 0.5 : 0;
  const columnNames = every(columns, (upright ? 14 : widest + 10) / perColumn);
  const rowNames = every(rows, 18 / box.height);
  const drawing = plotted(
    {
      ...{ width: marginLeft + gridWidth + marginRight, height },
      margins: { left: marginLeft, right: marginRight, top: MARGIN_TOP, bottom: marginBottom },
      x: { domain: [-0.5, columns - 0.5] },
      y: { domain: [rows - 0.5, -0.5] },
      marks: [
        rects(cells, {}, [inset, inset], "cell"),
        textsAtX(
          columnNames.map((at) => ({ at, lines: [below[at]] })),
          SIZE,
          {},
          { turn: upright ? -90 : 0 },
        ),
        textsAtY(
          rowNames.map((at) => ({ at, text: left[at] })),
          SIZE,
        ),
        middleLabels(spec.x?.label ?? "", spec.y?.label ?? ""),
      ],
    },
    [{ kind: "ramp", coloring: colors }],
  );
  if (!pixels)
    return {
      ...drawing,
      width,
      content: drawing.content + cellNumbers([spec.values], colors, spec.color?.unit, [box])[0],
    };
  return { ...drawing, content: (await cellImage(spec.values, colors.of, box, themes)) + drawing.content };
}
