import type { ImshowSpec } from "../../finding/picture.ts";
import { coloring } from "../color.ts";
import { formatNumber } from "../format.ts";
import { textWidth } from "../token-text.ts";
import { plotted } from "./axes.ts";
import type { Drawing } from "./drawing.ts";
import { largest } from "./limits.ts";
import { cellImage, checkCells } from "./pixels.ts";
import type { Plotting } from "./plotting.ts";
import { every, indices, tickLabels } from "./ticks.ts";

const LETTER = 6.8;
const LONGEST_LABEL = 24;
const MARGIN_TOP = 10;

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
  const perColumn = (width - marginLeft - marginRight) / Math.max(1, columns);
  const widest = largest(below.map(textWidth), 1) * LETTER;
  const upright = widest + 6 > perColumn && spec.x?.ticks !== undefined && perColumn >= 12;
  const marginBottom = (upright ? widest + 14 : 24) + (spec.x?.label ? 22 : 0);
  const perRow = Math.max(pixels ? 0 : 4, Math.min(26, spec.x?.ticks || spec.y?.ticks ? 26 : perColumn));
  const tall = pixels ? Math.min(rows * perRow, 1.5 * width) : rows * perRow;
  const height = spec.height ?? Math.round(Math.max(60, tall) + MARGIN_TOP + marginBottom);

  const cells = (pixels ? [] : spec.values).flatMap((row, r) =>
    row.map((value, c) => ({
      c,
      r,
      color: colors.of(value),
      title: spec.titles?.[r]?.[c] ?? `${left[r]}, ${below[c]}: ${formatNumber(value)}`,
    })),
  );

  const drawing = plotted(
    plotting,
    {
      width,
      height,
      marginLeft,
      marginRight,
      marginTop: MARGIN_TOP,
      marginBottom,
      color: { type: "identity" },
      x: { type: "band", domain: indices(columns), padding: 0, ...(pixels ? { round: false } : {}) },
      y: { type: "band", domain: indices(rows), padding: 0, ...(pixels ? { round: false } : {}) },
      marks: [
        plot.cell(cells, {
          x: "c",
          y: "r",
          fill: "color",
          title: "title",
          inset: perColumn > 11 && perRow > 11 ? 0.5 : 0,
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
  if (!pixels) return drawing;
  const box = {
    ...{ x: marginLeft, y: MARGIN_TOP },
    width: (width - marginLeft - marginRight) / columns,
    height: (height - MARGIN_TOP - marginBottom) / rows,
  };
  return { ...drawing, content: (await cellImage(spec.values, colors.of, box, themes)) + drawing.content };
}
