/** What scrolls says where there is more of it, by attributes that the style sheet turns into fades, and can be scrolled by keyboard. */
import { all, on, onResize } from "./root.ts";

export function scrolling(root: ParentNode, life: AbortSignal): void {
  for (const box of all(".scroll, .texts", root)) {
    const look = () => {
      const wide = box.scrollWidth > box.clientWidth + 1;
      const high = box.scrollHeight > box.clientHeight + 1;
      box.toggleAttribute("data-more", box.scrollLeft + box.clientWidth < box.scrollWidth - 2);
      box.toggleAttribute("data-moved", box.scrollLeft > 1);
      box.toggleAttribute("data-below", box.scrollTop + box.clientHeight < box.scrollHeight - 2);
      if ((wide || high) && !box.querySelector("[tabindex]")) box.tabIndex = 0;
    };
    on(box, "scroll", look, life, { passive: true });
    onResize(box, look, life);
  }
}
