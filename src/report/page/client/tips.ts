/** A tip next to what is under the pointer or focused. Without it hover texts are plain titles. */
import { all, type Behaviour, closest, isPage, on, outermost, the } from "./root.ts";

type Tipped = HTMLElement | SVGElement;

export const tips: Behaviour = (root, life) => {
  titles(root);
  const tip = document.createElement("div");
  tip.id = "tip";
  tip.setAttribute("role", "tooltip");
  const turn = switchOf(tip, isPage(root));
  (isPage(root) ? root.body : the("#view", root)).append(tip);
  life.addEventListener("abort", () => tip.remove());

  let shown: Tipped | null = null;
  const hide = () => {
    shown?.removeAttribute("aria-describedby");
    shown = null;
    turn(false);
  };
  const show = (target: Tipped | null) => {
    hide();
    if (!target) return;
    shown = target;
    tip.textContent = target.dataset.tip!;
    turn(true);
    // What has the same words as its name needs no description.
    if (!target.matches("svg *")) target.setAttribute("aria-describedby", "tip");
    place(tip, target.getBoundingClientRect());
  };
  const near = (event: Event) => show(closest<Tipped>(event, "[data-tip]"));
  on(root, "pointerover", near, life);
  on(root, "focusin", near, life);
  root.addEventListener("tip", near, { signal: life });
  on(root, "focusout", hide, life);
  on(outermost(root), "pointerleave", hide, life);
  for (const scrolled of new Set([window, root])) on(scrolled, "scroll", hide, life, { passive: true, capture: true });
  on(root, "keydown", (event) => event.key === "Escape" && hide(), life);
};

/** What shows and hides a tip. In a view that is mounted somewhere it is above everything there, and not cut off by what is around the view. */
function switchOf(tip: HTMLElement, inPage: boolean): (on: boolean) => void {
  if (inPage) {
    tip.hidden = true;
    return (on) => {
      tip.hidden = !on;
    };
  }
  tip.popover = "manual";
  return (on) => {
    if (tip.isConnected) tip.togglePopover(on);
  };
}

/** Titles, which browsers show late and not for the keyboard, become tips. */
export function titles(root: ParentNode): void {
  for (const title of all<SVGTitleElement>("figure svg title", root)) {
    (title.parentNode as SVGElement).dataset.tip = title.textContent!;
    title.remove();
  }
  for (const element of all(".tokens [title], .grid [title]", root)) {
    element.dataset.tip = element.title;
    element.removeAttribute("title");
  }
}

/** Above a box, or below it where there is no room, and within the window. */
function place(tip: HTMLElement, box: DOMRect): void {
  const [width, height] = [tip.offsetWidth, tip.offsetHeight];
  const room = document.documentElement.clientWidth - width - 8;
  const left = Math.max(8, Math.min(box.left + box.width / 2 - width / 2, room));
  tip.style.left = `${left}px`;
  tip.style.top = `${box.top - height - 8 > 0 ? box.top - height - 8 : box.bottom + 8}px`;
}
