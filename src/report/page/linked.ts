/**
 * The same place in every picture and table of a page: what is about the layer, head and position under the pointer lights up.
 * Elements say where they are along named axes, `data-at="layer=0 head=3"`; a place lights up all that are at least there.
 */
import type { Feature } from "./needs.ts";

const STYLE = `
.lit.token, td.lit { box-shadow: 0 0 0 2px var(--accent); } tr.lit > td, tr.lit > th { background: var(--shade); }
svg .lit { stroke: var(--ink); stroke-width: 2px; paint-order: stroke; }
`;

const SCRIPT = `(() => {
  let lit = [];
  const light = (event) => {
    const here = event.type !== "pointerleave" && event.target instanceof Element ? event.target.closest("[data-at]") : null;
    for (const other of lit) other.classList.remove("lit");
    lit = [];
    if (!here) return;
    const words = here.dataset.at.split(" ").map((word) => '[data-at~="' + word + '"]').join("");
    lit = [...document.querySelectorAll(words)].filter((other) => other !== here);
    for (const other of lit) other.classList.add("lit");
  };
  addEventListener("pointerover", light);
  addEventListener("focusin", light);
  document.documentElement.addEventListener("pointerleave", light);
})();`;

/** Places that light up together. */
export const LINKED: Feature = {
  style: STYLE,
  script: SCRIPT,
  hash: "sha256-979jGSwewT28anjoul9MmPl+EE4wvSeHGrxpjC67uzU=",
};
