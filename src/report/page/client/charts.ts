/**
 * Cells, points and bars for the keyboard: one tab stop a drawing, arrow keys from there. Among cells an arrow goes to the next one in its row or
 * column; among points and bars to the next one along that axis, so that each is reached. It comes after what makes tips of titles.
 */
import { all, type Behaviour, closest, moveFocus, on } from "./root.ts";

/** The axis of an arrow, 0 for x and 1 for y, and its direction. */
const ARROWS: Record<string, readonly [axis: 0 | 1, step: 1 | -1]> = {
  ArrowRight: [0, 1],
  ArrowLeft: [0, -1],
  ArrowDown: [1, 1],
  ArrowUp: [1, -1],
};

export const charts: Behaviour = (root, life) => {
  for (const svg of all<SVGElement>("figure svg", root)) {
    if (svg.closest("[data-graph]")) continue;
    const marks = all<SVGElement>("[data-tip]", svg);
    if (marks.length === 0) continue;
    svg.setAttribute("role", "group");
    marks.forEach((mark, i) => {
      mark.setAttribute("role", "img");
      mark.setAttribute("tabindex", i > 0 ? "-1" : "0");
      mark.setAttribute("aria-label", mark.dataset.tip!.replaceAll("\n", "; "));
    });
    on(svg, "keydown", (event) => move(event, marks), life);
  }
};

function move(event: KeyboardEvent, marks: readonly SVGElement[]): void {
  const from = closest<SVGElement>(event, "[data-tip]");
  const arrow = ARROWS[event.key];
  if (!from || !(arrow || event.key === "Home" || event.key === "End")) return;
  event.preventDefault();
  const to = arrow ? neighbour(from, marks, ...arrow) : event.key === "Home" ? marks[0] : marks.at(-1);
  if (to) moveFocus(from, to);
}

function neighbour(from: SVGElement, marks: readonly SVGElement[], axis: 0 | 1, step: 1 | -1): SVGElement | undefined {
  const boxes = new Map(marks.map((mark) => [mark, middleOf(mark)]));
  const at = (mark: SVGElement) => boxes.get(mark)!;
  const here = at(from);
  const cells = from.closest("[data-mark=cell]") !== null;
  const across = (1 - axis) as 0 | 1;
  const inLine = (mark: SVGElement) => Math.abs(at(mark).middle[across] - here.middle[across]) < here.size[across] / 2;
  const order = marks
    .filter((mark) => !cells || inLine(mark))
    .sort((a, b) => at(a).middle[axis] - at(b).middle[axis] || at(a).middle[across] - at(b).middle[across]);
  const to = order[order.indexOf(from) + step];
  // The cell at the end of a row is followed by none.
  return to && cells && (at(to).middle[axis] - here.middle[axis]) * step < 1 ? undefined : to;
}

function middleOf(mark: SVGElement) {
  const { left, top, width, height } = mark.getBoundingClientRect();
  return { middle: [left + width / 2, top + height / 2], size: [width, height] } as const;
}
