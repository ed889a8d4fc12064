/**
 * The same place in every picture and table of a page: what is about the layer, head and position under the pointer lights up.
 * Elements say where they are along named axes, `data-at="layer=0 head=3"`; a place lights up all that are at least there.
 */
import { all, type Behaviour, closest, on, outermost } from "./root.ts";

export const linked: Behaviour = (root, life) => {
  let lit: HTMLElement[] = [];
  const light = (here: HTMLElement | null) => {
    for (const other of lit) other.classList.remove("lit");
    lit = here ? all(selectorOf(here.dataset.at!), root).filter((other) => other !== here) : [];
    for (const other of lit) other.classList.add("lit");
  };
  const near = (event: Event) => light(closest(event, "[data-at]"));
  on(root, "pointerover", near, life);
  on(root, "focusin", near, life);
  on(outermost(root), "pointerleave", () => light(null), life);
};

/** What is at least at a place. */
function selectorOf(place: string): string {
  return place
    .split(" ")
    .map((word) => `[data-at~="${CSS.escape(word)}"]`)
    .join("");
}
