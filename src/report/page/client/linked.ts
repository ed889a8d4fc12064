/**
 * The same place in every picture and table of a page: what is about the layer, head and position under the pointer lights up.
 * Elements say where they are along named axes, `data-at="layer=0 head=3"`.
 */
import { Lights, placeIn } from "./places.ts";
import { type Behaviour, closest, on, outermost, REDRAWN } from "./root.ts";

export const linked: Behaviour = (root, life) => {
  const lights = new Lights(root, "lit");
  const near = (event: Event) => {
    const here = closest(event, "[data-at]");
    lights.show(here && placeIn(here.dataset.at!), here ?? undefined);
  };
  root.addEventListener(REDRAWN, () => lights.forget(), { signal: life });
  on(root, "pointerover", near, life);
  on(root, "focusin", near, life);
  on(outermost(root), "pointerleave", () => lights.show(null), life);
};
