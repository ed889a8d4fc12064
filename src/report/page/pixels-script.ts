import type { Feature } from "./needs.ts";

const STYLE = `
.on-dark { display: none; } .pixels .hit { cursor: crosshair; } .pixels .cell { fill: none; stroke: var(--ink); stroke-width: 1.5; pointer-events: none; }
@media screen and (prefers-color-scheme: dark) { .on-dark { display: inline; } .on-light { display: none; } }
`;

/** The row, column and number of the cell under the pointer, in an image of cells. */
const SCRIPT = `(() => {
  for (const root of document.querySelectorAll("[data-pixels]")) {
    const { rows, columns, x, y, titles } = JSON.parse(root.dataset.pixels);
    const packed = root.dataset.values;
    const values = packed && new Float32Array(Uint8Array.from(atob(packed), (c) => c.charCodeAt(0)).buffer);
    const short = (v) => Number.isNaN(v) ? "\\u2013" : String(+v.toPrecision(4));
    for (const svg of root.querySelectorAll("svg")) {
      [...svg.querySelectorAll(".hit")].forEach((hit, image) => {
        const [left, top, width, height] = ["x", "y", "width", "height"].map((name) => Number(hit.getAttribute(name)));
        const cell = document.createElementNS("http://www.w3.org/2000/svg", "rect");
        cell.setAttribute("class", "cell"); cell.style.display = "none"; hit.after(cell);
        hit.addEventListener("pointermove", (event) => {
          const box = hit.getBoundingClientRect();
          const index = (at, count) => Math.max(0, Math.min(count - 1, Math.floor(at * count)));
          const r = index((event.clientY - box.top) / box.height, rows), c = index((event.clientX - box.left) / box.width, columns);
          const place = { x: left + c * width / columns, y: top + r * height / rows, width: width / columns, height: height / rows };
          for (const [name, value] of Object.entries(place)) cell.setAttribute(name, value);
          cell.style.display = "";
          const value = values ? ": " + short(values[(image * rows + r) * columns + c]) : "";
          cell.dataset.tip = (titles ? titles[image] + "\\n" : "") + (y ? y[r] : r) + ", " + (x ? x[c] : c) + value;
          cell.dispatchEvent(new Event("tip", { bubbles: true }));
        });
        hit.addEventListener("pointerleave", () => { cell.style.display = "none"; hit.dispatchEvent(new Event("tip", { bubbles: true })); });
      });
    }
  }
})();`;

/** Tips for images of cells. */
export const PIXELS: Feature = {
  style: STYLE,
  script: SCRIPT,
  hash: "sha256-+Eb5e2N/IXo/6kSKSTjYIpYPvDJ9A8bQuf7ak5hAEpw=",
};
