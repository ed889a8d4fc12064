/** Lines to compare numbers with: each in its own dashes, with its label on it. */

import type { ReferenceLine } from "../../finding/picture.ts";
import { cutText } from "../token-text.ts";
import type { Scales } from "./chart.ts";
import { svgText } from "./drawing.ts";
import { lineThrough, type Mark, rules } from "./marks.ts";
import { anchorX, type Placing, type WordBox } from "./placing.ts";
import type { Domain } from "./scales.ts";
import { textSize } from "./text-size.ts";

const SIZE = 11;
const HEIGHT = 13;
const LONGEST = 44;

/** Dashes that differ at a glance, the plainest first. */
const DASHES = ["5 4", "1.5 3", "10 4", "9 3 2 3", "2 6"];

/** The dashes of the reference line with this index. */
export function referenceDash(index: number): string {
  return DASHES[index % DASHES.length];
}

/** Marks for the lines, cut to the frame. */
export function referenceMarks(lines: readonly ReferenceLine[], x: Domain, y: Domain): Mark[] {
  return lines.map((line, i) => {
    const look = { stroke: "currentColor", "stroke-width": 1.25, "stroke-dasharray": referenceDash(i) };
    if (line.kind === "slope") {
      const points = slopePoints(line.slope, line.intercept ?? 0, x, y);
      return lineThrough(
        points.map(([x, y]) => ({ x, y })),
        look,
      );
    }
    const { kind, at } = line;
    return rules([kind === "x" ? { x1: at, x2: at } : { y1: at, y2: at }], look);
  });
}

/** Makes words that are placed before the labels keep off the lines, too. */
export function avoidReferences(
  lines: readonly ReferenceLine[],
  x: Domain,
  y: Domain,
  scales: Scales,
  placing: Placing,
): void {
  for (const line of lines) {
    const path = pathOf(line, x, y, scales);
    for (let i = 1; i < path.length; i++) placing.avoidLine(path[i - 1], path[i], 4);
  }
}

/** The labels, where they cover least: the lines, points and bars that `placing` knows of. */
export function referenceLabels(
  lines: readonly ReferenceLine[],
  x: Domain,
  y: Domain,
  scales: Scales,
  placing: Placing,
): string {
  avoidReferences(lines, x, y, scales, placing);
  return lines
    .map((line) => {
      const text = cutText(line.label, LONGEST);
      const width = textSize(text, SIZE);
      const box = text && placing.place(candidates(pathOf(line, x, y, scales), width));
      if (!box) return "";
      return svgText(text, anchorX(box), box.y + 10, `font-size="${SIZE}" text-anchor="${box.anchor}"`);
    })
    .join("");
}

type Path = readonly (readonly [number, number])[];

/** The line in pixels, from one end to the other. */
function pathOf(line: ReferenceLine, x: Domain, y: Domain, { x: px, y: py }: Scales): Path {
  if (line.kind === "slope")
    return slopePoints(line.slope, line.intercept ?? 0, x, y).map(([a, b]) => [px(a), py(b)] as const);
  if (line.kind === "x") return y.map((v) => [px(line.at), py(v)] as const);
  return x.map((v) => [px(v), py(line.at)] as const);
}

/** Places next to the line, from its far end (the right, the top) to its near one, on either side. */
function* candidates(path: Path, width: number): Generator<WordBox> {
  if (path.length < 2) return;
  const [first, last] = [path[0], path[path.length - 1]];
  const upright = Math.abs(last[0] - first[0]) < 1;
  const level = Math.abs(last[1] - first[1]) < 1;
  for (let i = 0; i <= 24; i++) {
    const [x, y] = along(path, 1 - i / 24);
    const box = (anchor: WordBox["anchor"], at: number, top: number): WordBox => {
      return { x: anchor === "start" ? at : at - width, y: top, width, height: HEIGHT, anchor };
    };
    if (upright) {
      yield box("start", x + 5, y + 2);
      yield box("end", x - 5, y + 2);
    } else if (level) {
      yield box("end", x - 2, y - HEIGHT - 2);
      yield box("end", x - 2, y + 3);
    } else {
      yield box("end", x - 8, y - HEIGHT / 2);
      yield box("start", x + 8, y - HEIGHT / 2);
    }
  }
}

/** The point at this part of the path. */
function along(path: Path, part: number): readonly [number, number] {
  const at = part * (path.length - 1);
  const i = Math.min(Math.floor(at), path.length - 2);
  const between = (k: 0 | 1) => path[i][k] + (path[i + 1][k] - path[i][k]) * (at - i);
  return [between(0), between(1)];
}

/** The part of `y = slope x + intercept` inside the frame: many points, so that it also bends on a log axis. */
function slopePoints(slope: number, intercept: number, x: Domain, y: Domain): [number, number][] {
  const atY = slope === 0 ? [...x] : y.map((v) => (v - intercept) / slope).sort((a, b) => a - b);
  const from = Math.max(x[0], atY[0]);
  const to = Math.min(x[1], atY[1]);
  if (from >= to) return [];
  return Array.from({ length: 61 }, (_, i) => {
    const at = from + ((to - from) * i) / 60;
    return [at, slope * at + intercept];
  });
}
