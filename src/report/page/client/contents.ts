/** The list of contents shows which part is being read, and a link to a folded part opens it. */
import { all, type Behaviour, closest, on, type Root } from "./root.ts";

export const contents: Behaviour = (root, life) => {
  const links = all<HTMLAnchorElement>(".contents a", root);
  const places = links.map((link) => linked(root, link.hash));
  const mark = () => {
    const here = places.findLastIndex((place) => place && place.getBoundingClientRect().top < innerHeight / 3);
    links.forEach((link, i) => {
      if (i === here) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    });
  };
  const unfold = (hash: string) => {
    const place = linked(root, hash);
    if (place instanceof HTMLDetailsElement) place.open = true;
  };
  const follow = (event: Event) => {
    const link = closest<HTMLAnchorElement>(event, 'a[href^="#"]');
    if (link) unfold(link.hash);
  };
  on(root, "click", follow, life);
  window.addEventListener("hashchange", () => unfold(location.hash), { signal: life });
  unfold(location.hash);
  if (links.length === 0) return;
  on(window, "scroll", mark, life, { passive: true });
  mark();
};

function linked(root: Root, hash: string): HTMLElement | null {
  return root.getElementById(decodeURIComponent(hash.slice(1)));
}
