/** What pointing at nodes, pressing them and keys do. */
import { closest, moveFocus, on } from "../root.ts";
import type { GraphView } from "./view.ts";

export function listenToNodes(view: GraphView, life: AbortSignal): void {
  const { drawing } = view;
  const at = (event: Event) => {
    const node = closest<SVGElement>(event, "[data-node]");
    return node ? view.placeOf(node) : undefined;
  };
  const focused = () => {
    const node = (drawing.getRootNode() as Document | ShadowRoot).activeElement?.closest("[data-node]");
    return node && drawing.contains(node) && node.matches(":focus-visible") ? view.placeOf(node) : undefined;
  };
  on(drawing, "pointerover", (event) => view.pointAt(at(event) ?? focused()), life);
  on(drawing, "pointerleave", () => view.pointAt(focused()), life);
  on(drawing, "focusin", () => view.pointAt(focused()), life);
  on(drawing, "focusout", () => view.pointAt(undefined), life);
  const press = (event: MouseEvent) => {
    const place = at(event);
    if (place !== undefined) view.lock(place, event.shiftKey || event.ctrlKey || event.metaKey);
  };
  on(drawing, "click", press, life);
  on(drawing, "dblclick", (event) => pin(view, at(event)), life);
  on(drawing, "keydown", (event) => typed(view, event, at(event)), life);
  on(view.element, "keydown", ({ key }) => key === "Escape" && release(view), life);
}

function pin(view: GraphView, place: number | undefined): void {
  if (place !== undefined) view.pin([view.shown.nodes[place].name]);
}

function release(view: GraphView): void {
  if (view.state.locked.length > 0) view.change({ locked: [] });
}

function typed(view: GraphView, event: KeyboardEvent, place: number | undefined): void {
  if (place === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Enter" || event.key === " ") view.lock(place, event.shiftKey);
  else if (event.key === "p") pin(view, place);
  else {
    const to = nextTo(view, place, event.key);
    if (to === undefined) return;
    moveFocus(view.elements[place], view.elements[to]);
  }
  event.preventDefault();
}

/** Sideways the next node of all, line by line, so that each is reached; up and down the nearest one in that direction. */
function nextTo({ elements }: GraphView, place: number, key: string): number | undefined {
  const middles = elements.map((element) => {
    const { left, top, width, height } = element.getBoundingClientRect();
    return { x: left + width / 2, y: Math.round(top + height / 2) };
  });
  const order = [...middles.keys()].sort((a, b) => middles[a].y - middles[b].y || middles[a].x - middles[b].x);
  const here = middles[place];
  const nearest = (direction: 1 | -1) => {
    const there = order.filter((i) => direction * (middles[i].y - here.y) > LINE);
    const far = (i: number) => Math.abs(middles[i].y - here.y) + Math.abs(middles[i].x - here.x) / 2;
    return there.sort((a, b) => far(a) - far(b))[0];
  };
  switch (key) {
    case "ArrowRight":
      return order[order.indexOf(place) + 1];
    case "ArrowLeft":
      return order[order.indexOf(place) - 1];
    case "ArrowDown":
      return nearest(1);
    case "ArrowUp":
      return nearest(-1);
    case "Home":
      return order[0];
    case "End":
      return order.at(-1);
    default:
      return undefined;
  }
}

/** In pixels, what is on one line. */
const LINE = 12;
