/** Links within a mounted view, which a page's address cannot name: what they lead to is unfolded and scrolled to. */
import { type Behaviour, closest, on } from "./root.ts";

export const anchors: Behaviour = (root, life) => {
  const follow = (event: Event) => {
    const link = closest<HTMLAnchorElement>(event, 'a[href^="#"]');
    const place = link && root.getElementById(decodeURIComponent(link.hash.slice(1)));
    if (!place) return;
    event.preventDefault();
    const folded = place.closest("details");
    if (folded) folded.open = true;
    place.scrollIntoView({ block: "nearest" });
  };
  on(root, "click", follow, life);
};
