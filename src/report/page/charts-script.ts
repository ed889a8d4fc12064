import type { Feature } from "./needs.ts";

const STYLE = `
figure svg [data-tip]:focus-visible { outline: 2px solid var(--ink); outline-offset: 1px; }
`;

/**
 * Cells, points and bars for the keyboard: one tab stop a drawing, arrow keys from there. Among cells an arrow goes to the next one in its row or
 * column; among points and bars to the next one along that axis, so that each is reached. It runs after the script that makes tips of titles.
 */
const SCRIPT = `(() => {
  for (const svg of document.querySelectorAll("figure svg")) {
    const marks = [...svg.querySelectorAll("[data-tip]")];
    if (!marks.length) continue;
    svg.setAttribute("role", "group");
    marks.forEach((mark, i) => {
      mark.setAttribute("role", "img"); mark.setAttribute("tabindex", i ? "-1" : "0");
      mark.setAttribute("aria-label", mark.dataset.tip.replaceAll("\\n", "; "));
    });
    svg.addEventListener("keydown", (event) => {
      const from = event.target instanceof Element ? event.target.closest("[data-tip]") : null;
      const arrow = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 1], ArrowUp: [1, -1] }[event.key];
      if (!from || !(arrow || event.key === "Home" || event.key === "End")) return;
      event.preventDefault();
      let to = event.key === "Home" ? marks[0] : marks[marks.length - 1];
      if (arrow) {
        const [axis, step] = arrow;
        const at = new Map(marks.map((mark) => { const b = mark.getBoundingClientRect(); return [mark, [b.left + b.width / 2, b.top + b.height / 2, b.width, b.height]]; }));
        const here = at.get(from), ahead = (mark) => (at.get(mark)[axis] - here[axis]) * step;
        const grid = from.closest("[data-mark=cell]");
        const order = marks.filter((mark) => !grid || Math.abs(at.get(mark)[1 - axis] - here[1 - axis]) < here[3 - axis] / 2)
          .sort((a, b) => at.get(a)[axis] - at.get(b)[axis] || at.get(a)[1 - axis] - at.get(b)[1 - axis]);
        to = order[order.indexOf(from) + step];
        if (grid && to && ahead(to) < 1) to = undefined;
      }
      if (!to) return;
      from.setAttribute("tabindex", "-1"); to.setAttribute("tabindex", "0"); to.focus();
    });
  }
})();`;

/** The keyboard in drawings of cells, points and bars. */
export const CHARTS: Feature = {
  style: STYLE,
  script: SCRIPT,
  hash: "sha256-wB5+/9ApzVx0WtI10vmkb4RJO5az0yxaSfUUkYYB5Sk=",
};
