import type { Feature } from "./needs.ts";

const STYLE = `
.on-dark { display: none; } .pixels .hit { cursor: crosshair; } .pixels .cell { fill: none; stroke: none; stroke-width: 1.5; pointer-events: none; }
.pixels .cell.on, .pixels .cell:focus { stroke: var(--ink); outline: none; }
@media screen and (prefers-color-scheme: dark) { .on-dark { display: inline; } .on-light { display: none; } }
`;

/** The row, column and number of the cell under the pointer or, by arrow keys, in focus, in an image of cells. */
const SCRIPT = `(() => {
  for (const root of document.querySelectorAll("[data-pixels]")) {
    const { rows, columns, x, y, unit, titles } = JSON.parse(root.dataset.pixels);
    const packed = root.dataset.values;
    const values = packed && new Float32Array(Uint8Array.from(atob(packed), (c) => c.charCodeAt(0)).buffer);
    const short = (v) => Number.isNaN(v) ? "\\u2013" : ((unit === "%" ? v.toFixed(1) : String(+v.toPrecision(4))).replaceAll("-", "\\u2212") + " " + unit).trim();
    const said = ({ label, ticks }, i) => {
      const tick = ticks ? ticks[i] : String(i);
      return tick.toLowerCase().startsWith(label.toLowerCase()) ? tick : label + " " + tick;
    };
    for (const svg of root.querySelectorAll("svg")) {
      [...svg.querySelectorAll(".hit")].forEach((hit, image) => {
        const [left, top, width, height] = ["x", "y", "width", "height"].map((name) => Number(hit.getAttribute(name)));
        let cell = document.createElementNS("http://www.w3.org/2000/svg", "rect"), at = [0, 0];
        cell.setAttribute("class", "cell"); cell.setAttribute("role", "img"); cell.setAttribute("tabindex", "0");
        svg.setAttribute("role", "group"); hit.after(cell);
        const put = (r, c) => {
          at = [r, c];
          const place = { x: left + c * width / columns, y: top + r * height / rows, width: width / columns, height: height / rows };
          for (const [name, value] of Object.entries(place)) cell.setAttribute(name, value);
          const value = values ? ": " + short(values[(image * rows + r) * columns + c]) : "";
          cell.dataset.tip = (titles ? titles[image] + "\\n" : "") + said(y, r) + ", " + said(x, c) + value;
          cell.setAttribute("aria-label", cell.dataset.tip.replaceAll("\\n", "; "));
        };
        put(0, 0);
        hit.addEventListener("pointermove", (event) => {
          const box = hit.getBoundingClientRect();
          const index = (at, count) => Math.max(0, Math.min(count - 1, Math.floor(at * count)));
          put(index((event.clientY - box.top) / box.height, rows), index((event.clientX - box.left) / box.width, columns));
          cell.classList.add("on"); cell.dispatchEvent(new Event("tip", { bubbles: true }));
        });
        hit.addEventListener("pointerleave", () => { cell.classList.remove("on"); hit.dispatchEvent(new Event("tip", { bubbles: true })); });
        svg.addEventListener("keydown", (event) => {
          const step = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
          const to = step && [at[0] + step[0], at[1] + step[1]];
          if (event.target !== cell || !to || to[0] < 0 || to[1] < 0 || to[0] >= rows || to[1] >= columns) return;
          event.preventDefault();
          // Another element, so that a screen reader says where the focus is now.
          const next = cell.cloneNode(); cell.replaceWith(next); cell = next;
          put(...to); cell.focus();
        });
      });
    }
  }
})();`;

/** Tips for images of cells. */
export const PIXELS: Feature = {
  style: STYLE,
  script: SCRIPT,
  hash: "sha256-JIyIvCntKeHDdR9sj1huxRonaFT79pCOc/mlaz8oBek=",
};
