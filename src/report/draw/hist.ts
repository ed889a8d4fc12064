import type { HistSpec } from "../../finding/picture.ts";
import { fixed } from "../../tensor/words.ts";
import { seriesColor } from "../color.ts";
import { extent } from "../numbers.ts";
import { MARGIN, within } from "./axes.ts";
import { plotted } from "./chart.ts";
import type { Drawing, LegendItem } from "./drawing.ts";
import { atMost } from "./limits.ts";
import { rects, rules } from "./marks.ts";
import { numberAxis } from "./number-axis.ts";
import { referenceLabels, referenceMarks } from "./references.ts";
import { type Domain, roundUp } from "./scales.ts";
import { amount } from "./tip.ts";

const MOST_BINS = 2000;

export function drawHist(spec: HistSpec, width: number): Drawing {
  const { series, references = [], of = "values" } = spec;
  const measure = spec.measure ?? (series.length > 1 ? "share" : "count");
  const marks = references.flatMap((line) => (line.kind === "x" ? [line.at] : []));
  const span = spec.x?.domain ?? extent([...marks, ...series.flatMap((s) => s.values)]) ?? [0, 1];
  atMost(MOST_BINS, spec.bins ?? 40, "bins", "take fewer");
  const borders = roundBorders(span, spec.bins ?? 40);
  const x: Domain = [borders[0], borders[borders.length - 1]];

  const counted = series.map((s) => {
    const inside = s.values.filter((v) => within(v, span));
    const total = s.values.filter((v) => v !== null).length;
    const counts = new Array<number>(borders.length - 1).fill(0);
    const step = borders[1] - borders[0];
    for (const v of inside) counts[Math.min(counts.length - 1, Math.floor((v - borders[0]) / step))]++;
    const bars = counts.flatMap((count, i) => {
      if (count === 0) return [];
      const height = measure === "share" ? count / total : count;
      const range = `${spec.x?.label ? `${spec.x.label} ` : ""}${amount(borders[i])} to ${amount(borders[i + 1], spec.x?.unit)}`;
      return [
        {
          x1: borders[i],
          x2: borders[i + 1],
          height,
          title: `${s.name ? `${s.name}: ` : ""}${count} of ${total}${spec.of ? ` ${spec.of}` : ""}, ${range}`,
        },
      ];
    });
    return { name: s.name, bars, total, outside: total - inside.length };
  });

  const highest = Math.max(...counted.flatMap((s) => s.bars.map((b) => b.height)), 0);
  // Room for the labels of reference lines above the bars.
  const y: Domain = [0, highest * (1.05 + 0.07 * Math.min(4, references.length)) || 1];
  const legend = counted.flatMap((s, i): LegendItem[] => {
    const text = `${s.name || of} (${s.total}${s.outside ? `, ${s.outside} not shown` : ""})`;
    return series.length > 1 || s.outside > 0 ? [{ kind: "area", color: seriesColor(i), text }] : [];
  });

  const [across, up] = [numberAxis(spec.x, x), numberAxis(undefined, y)];
  const label = `${measure === "share" ? "share" : "number"} of ${of}`;
  return plotted(
    {
      ...{ width, height: spec.height ?? Math.min(300, Math.round(width * 0.7)), margins: MARGIN },
      x: { ...across, drawn: { ...across.drawn, grid: false } },
      y: { ...up, drawn: { ...up.drawn, label, ...(measure === "share" ? { format: percent } : {}) } },
      marks: [
        rules([{ y1: 0, y2: 0 }], { stroke: "currentColor" }),
        ...counted.map(({ bars }, i) => {
          const look = { fill: seriesColor(i), "fill-opacity": 0.5, stroke: seriesColor(i) };
          return rects(
            bars.map(({ height, ...bar }) => ({ ...bar, y1: 0, y2: height })),
            look,
            [0.5, 0],
          );
        }),
        ...referenceMarks(references, x, y),
      ],
    },
    legend,
    (scales) => {
      for (const { x1, x2, height } of counted.flatMap((s) => s.bars)) {
        const [left, top] = [scales.x(x1), scales.y(height)];
        scales.placing.avoid({ x: left, y: top, width: scales.x(x2) - left, height: scales.y(0) - top });
      }
      return referenceLabels(references, x, y, scales, scales.placing);
    },
  );
}

const percent = (share: number, decimals: number) => `${fixed(100 * share, Math.max(0, decimals - 2))}%`;

/** About `count` bins of equal width, whose borders are multiples of 1, 2 or 5 times a power of ten. */
function roundBorders([low, high]: Domain, count: number): number[] {
  const rough = (high - low || Math.abs(high) || 1) / Math.max(1, count);
  const step = roundUp(rough);
  const first = Math.floor(low / step);
  const last = Math.max(Math.ceil(high / step), first + 1);
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}
