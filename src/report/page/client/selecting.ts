/** In a mounted view the place under the pointer or the focus is pointed at, and one that is pressed stays selected until it is pressed again, or Escape. */
import { placeIn, type ViewPlace } from "./places.ts";
import { closest, on, outermost, type Root } from "./root.ts";

export interface Selecting {
  /** The pointer or the focus is at a place, or at none any more. */
  readonly point: (place: ViewPlace | null, element?: HTMLElement) => void;
  readonly press: (place: ViewPlace) => void;
  readonly release: () => void;
}

/** What has its own way to be pointed at and pressed. */
const OWN = "[data-attention], [data-activations], a, button, summary, select, input";

export function selecting(root: Root, { point, press, release }: Selecting, life: AbortSignal): void {
  const at = (event: Event) => (closest(event, OWN) ? null : closest(event, "[data-at]"));
  const near = (event: Event) => {
    if (closest(event, OWN)) return;
    const here = at(event);
    point(here && placeIn(here.dataset.at!), here ?? undefined);
  };
  on(root, "pointerover", near, life);
  on(root, "focusin", near, life);
  const left = ({ relatedTarget }: FocusEvent) => {
    if (!(relatedTarget instanceof Node && root.contains(relatedTarget))) point(null);
  };
  on(root, "focusout", left, life);
  on(outermost(root), "pointerleave", () => point(null), life);
  const pressed = (event: Event) => {
    const here = at(event);
    if (here && getSelection()?.isCollapsed !== false) press(placeIn(here.dataset.at!));
  };
  on(root, "click", pressed, life);
  const typed = (event: KeyboardEvent) => {
    if (event.key === "Escape") release();
    if (event.key !== "Enter" && event.key !== " ") return;
    if (!at(event)) return;
    event.preventDefault();
    pressed(event);
  };
  on(root, "keydown", typed, life);
}
