/** Words next to points: beside them if there is room, else a little away with a line to the point, else not at all. */
import { cutText, visibleToken } from "../token-text.ts";
import { round, svgText } from "./drawing.ts";
import { anchorX, type Box, type Placing, type WordBox } from "./placing.ts";
import { textSize } from "./text-size.ts";

export interface PointLabel {
  /** The point's place and radius, in pixels. */
  readonly x: number;
  readonly y: number;
  readonly radius: number;
  readonly text: string;
}

const SIZE = 11;
const HEIGHT = 12;
const LONGEST = 28;
/** How much a label may cover: a point of a pale crowd, but none that stands out. */
const MOST_COVERED = 1;
/** How far from the point a label may be, with a line to it from the second distance on. */
const DISTANCES = [3, 14, 26];

/** Right, left, above, below, then the corners. */
const SIDES = [
  [1, 0],
  [-1, 0],
  [0, -1],
  [0, 1],
  [0.8, -0.8],
  [-0.8, -0.8],
  [0.8, 0.8],
  [-0.8, 0.8],
] as const;

interface Candidate extends WordBox {
  readonly distance: number;
}

/** The labels as SVG, the first ones placed first. */
export function pointLabels(labels: readonly PointLabel[], placing: Placing): string {
  return labels
    .map((label) => {
      const text = cutText(visibleToken(label.text), LONGEST);
      const width = textSize(text, SIZE);
      const box = placing.place(candidates(label, width), MOST_COVERED);
      if (!box) return "";
      const line = box.distance > DISTANCES[0] ? lineTo(label, box) : "";
      return line + svgText(text, anchorX(box), box.y + 9.5, `font-size="${SIZE}" text-anchor="${box.anchor}"`);
    })
    .join("");
}

function* candidates({ x, y, radius }: PointLabel, width: number): Generator<Candidate> {
  for (const distance of DISTANCES) {
    for (const [dx, dy] of SIDES) {
      const away = radius + distance;
      const left = x + dx * away - (dx > 0 ? 0 : dx < 0 ? width : width / 2);
      const top = y + dy * away - (dy > 0 ? 0 : dy < 0 ? HEIGHT : HEIGHT / 2);
      yield { x: left, y: top, width, height: HEIGHT, distance, anchor: dx > 0 ? "start" : dx < 0 ? "end" : "middle" };
    }
  }
}

/** From the point's edge to the nearest place of the box. */
function lineTo({ x, y, radius }: PointLabel, box: Box): string {
  const toX = Math.max(box.x, Math.min(x, box.x + box.width));
  const toY = Math.max(box.y, Math.min(y, box.y + box.height));
  const length = Math.hypot(toX - x, toY - y) || 1;
  const from = [x + ((toX - x) * radius) / length, y + ((toY - y) * radius) / length].map(round);
  return `<path d="M${from}L${round(toX)},${round(toY)}" stroke="currentColor" stroke-width="0.75" stroke-opacity="0.6" fill="none"/>`;
}
