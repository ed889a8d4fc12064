import { LIGHTNESS } from "../hue.ts";
import type { Feature } from "./needs.ts";

const STYLE = `
:root { --l0: ${LIGHTNESS.light[0]}; --l1: ${LIGHTNESS.light[1]}; }
.stage { display: grid; grid-template: "view heads" "reading reading" / minmax(0, 1fr) 228px; gap: 16px 22px; align-items: start; }
.stage.alone { display: block; } .alone .reading { margin-top: 16px; } .view { grid-area: view; } .heads { grid-area: heads; } .reading { grid-area: reading; }
.view .heading { font-weight: 650; font-size: 0.95rem; line-height: 1.3; margin: 0; }
.ramp { display: flex; flex-wrap: wrap; align-items: center; gap: 2px 7px; font-size: 0.78rem; color: var(--soft); margin: 2px 0 10px;
  font-variant-numeric: tabular-nums; }
.ramp i { width: 120px; height: 8px; -webkit-print-color-adjust: exact; print-color-adjust: exact; }
.heads { display: grid; grid-template-columns: repeat(auto-fill, minmax(var(--thumb), 1fr)); gap: 6px; max-height: 490px; overflow-y: auto;
  padding: 3px; scrollbar-width: thin; }
.head { all: unset; box-sizing: border-box; cursor: pointer; font-size: 0.7rem; line-height: 1.35; color: var(--soft); font-variant-numeric: tabular-nums; }
.layers .head:first-child { grid-column: 1 / -1; width: var(--thumb); }
.head svg { width: 100%; aspect-ratio: 1; box-shadow: 0 0 0 1px var(--rule); overflow: hidden; }
.head.on svg { box-shadow: 0 0 0 2px var(--accent); } .head.on { color: var(--ink); }
.head[aria-pressed=true] svg { box-shadow: 0 0 0 2px var(--ink); } .head[aria-pressed=true] { color: var(--ink); font-weight: 650; }
.head:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
.cells .band { fill: none; stroke: var(--accent); stroke-width: 2; } .cells .cell { fill: none; stroke: var(--ink); stroke-width: 1.5; }
.cells .band, .cells .cell { vector-effect: non-scaling-stroke; pointer-events: none; shape-rendering: auto; }
.cells .hit { stroke: none; pointer-events: all; cursor: pointer; }
[hidden].reading { display: none; } .status { font-size: 0.85rem; line-height: 1.45; color: var(--soft); margin: 0 0 4px; }
.direction { display: inline-flex; margin: 0 0 6px; border: 1px solid var(--rule); border-radius: 5px; overflow: hidden; }
.direction button { all: unset; cursor: pointer; font-size: 0.78rem; padding: 3px 10px; color: var(--soft); }
.direction button[aria-pressed=true] { background: var(--chip); color: var(--ink); }
.direction button:focus-visible { outline: 2px solid var(--accent); outline-offset: -2px; }
.attention .token { cursor: pointer; box-shadow: 0 0 0 1px var(--rule); margin-right: 3px; }
.attention .token.on { box-shadow: 0 0 0 2px var(--accent); } .attention .token[aria-pressed=true] { box-shadow: 0 0 0 2px var(--ink); }
.token.mid { color: #111; } .token.strong { color: #fff; }
@media screen and (min-width: 1000px) { .stage { grid-template-columns: minmax(0, 1fr) 342px; } }
@media (max-width: 600px) { .ramp i { width: 84px; } .stage { grid-template: "view" "reading" "heads" / minmax(0, 1fr); } .heads { max-height: 60vh; } }
@media screen and (prefers-color-scheme: dark) {
  :root { --l0: ${LIGHTNESS.dark[0]}; --l1: ${LIGHTNESS.dark[1]}; } .token.strong { color: #111; }
}
@media print { .stage { display: block; } .heads { max-height: none; grid-template-columns: repeat(12, 1fr); } .direction { display: none; } }
`;

/**
 * What pointing and pressing do. A head or token under the pointer, or with the keyboard focus, is shown; one that is pressed
 * stays selected, and is shown whenever the pointer is on no other. Colours match those of attention-colors.ts.
 */
const SCRIPT = `(() => {
  for (const root of document.querySelectorAll("[data-attention]")) {
    const { names, tokens, hues, domain, signed, all, focus } = JSON.parse(root.dataset.attention);
    const weights = new Float32Array(Uint8Array.from(atob(root.dataset.weights), (c) => c.charCodeAt(0)).buffer);
    const n = tokens.length, H = names.length, each = [...names.keys()];
    const at = (h, q, k) => weights[(h * n + q) * n + k] || 0;
    const causal = each.every((h) => tokens.every((_, q) => tokens.every((_, k) => k <= q || at(h, q, k) === 0)));
    const find = (selector) => [...root.querySelectorAll(selector)];
    const keep = { head: focus, token: null }, seen = { head: null, token: null };
    let toSource = true;
    const head = () => seen.head ?? keep.head, token = () => seen.token ?? keep.token;
    const short = (v) => !v || Math.abs(v) >= 0.0005 ? String(+v.toPrecision(3)).replace("-", "\\u2212") : v.toExponential(1).replace("-", "\\u2212");
    const heads = (h) => h < 0 ? each : [h];

    // A colour from the heads' values: by sign, or in the mean of the hues with the strength of the strongest.
    const paint = (h, values) => {
      if (signed) {
        const v = values.reduce((a, b) => a + b, 0) / values.length;
        const level = Math.round(100 * Math.max(0, Math.min(1, (v - domain[0]) / (domain[1] - domain[0]))));
        return v === 0 ? null : { color: "var(--RdBu" + level + ")", ink: "var(--RdBu" + level + "i)", strength: 0 };
      }
      let sum = 0, strength = 0, a = 0, b = 0;
      heads(h).forEach((head, i) => {
        const w = Math.max(0, Math.min(1, (values[i] - domain[0]) / (domain[1] - domain[0] || 1)));
        sum += w * w; strength = Math.max(strength, w); a += w * w * hues[head][0]; b += w * w * hues[head][1];
      });
      strength = Math.round(64 * strength) / 64;
      if (strength === 0) return null;
      const part = (v) => (strength * Math.round(200 * v / sum) / 200).toFixed(3);
      return { color: "oklab(calc(var(--l0) + var(--l1)*" + strength.toFixed(3) + ") " + part(a) + " " + part(b) + ")", strength };
    };
    const values = (h, q, k) => heads(h).map((head) => at(head, q, k));
    const tell = (h, numbers) => {
      if (h >= 0) return names[h] + ": " + short(numbers[0]);
      const order = [...numbers.keys()].sort((i, j) => Math.abs(numbers[j]) - Math.abs(numbers[i])).slice(0, 3);
      return order.map((i) => names[i] + ": " + short(numbers[i])).join("\\n") + (H > 3 ? "\\n\\u2026" : "");
    };

    const svg = (tag, parent, name) => {
      const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
      made.setAttribute("class", name); parent.append(made); return made;
    };
    const box = (rect, x, y, width, height) => {
      for (const [key, value] of Object.entries({ x, y, width, height })) rect.setAttribute(key, value);
    };
    const views = find(".view .cells").map((cells) => {
      const hit = svg("rect", cells, "hit"), band = svg("rect", cells, "band"), cell = svg("rect", cells, "cell");
      box(hit, 0, -0.5, n, n);
      return { cells, hit, band, cell };
    });
    const title = root.querySelector(".view .heading"), ramp = root.querySelector(".ramp i"), status = root.querySelector(".status");
    const spans = find(".tokens .token"), buttons = find(".head"), directions = find(".direction button");

    const drawView = (h) => {
      const lines = new Map();
      for (let q = 0; q < n; q++) {
        for (let k = 0; k < n; k++) {
          const found = paint(h, values(h, q, k));
          if (found) lines.set(found.color, (lines.get(found.color) ?? "") + "M" + k + " " + q + "h1");
        }
      }
      for (const { cells, hit } of views) {
        for (const path of cells.querySelectorAll("path")) path.remove();
        for (const [color, d] of lines) {
          const path = svg("path", cells, ""); path.style.stroke = color; path.setAttribute("d", d); cells.insertBefore(path, hit);
        }
      }
      title.textContent = h < 0 ? all : names[h];
      if (!signed) {
        const stop = (i) => {
          const s = i / 10, hue = h < 0 ? [0, 0] : hues[h];
          return "oklab(calc(var(--l0) + var(--l1)*" + s + ") " + (s * hue[0]).toFixed(3) + " " + (s * hue[1]).toFixed(3) + ")";
        };
        ramp.style.background = "linear-gradient(90deg," + [...Array(11).keys()].map(stop).join(",") + ")";
      }
    };
    const name = (i) => "\\u201c" + tokens[i] + "\\u201d (" + i + ")";
    const tokenValues = (h, i, j) => {
      if (i !== null) return toSource ? values(h, i, j) : values(h, j, i);
      const from = causal ? j : 0;
      return heads(h).map((head) => {
        let sum = 0;
        for (let q = from; q < n; q++) sum += at(head, q, j);
        return sum / (n - from);
      });
    };
    let drawn = null;
    const draw = () => {
      const h = head(), i = token(), who = h < 0 ? "All heads" : names[h];
      if (h !== drawn) drawView(drawn = h);
      status.textContent = i === null ? who + ": what each token receives, on average over the queries" + (causal ? " that see it" : "")
        : toSource ? who + ": where " + name(i) + " attends to" : who + ": what attends to " + name(i);
      spans.forEach((span, j) => {
        const numbers = tokenValues(h, i, j), found = paint(h, numbers);
        span.style.background = found?.color ?? ""; span.style.color = found?.ink ?? "";
        span.classList.toggle("strong", found?.strength > 0.775);
        span.classList.toggle("mid", found?.strength > 0.567 && found.strength <= 0.775);
        span.classList.toggle("on", i === j); span.setAttribute("aria-pressed", keep.token === j);
        span.dataset.tip = name(j) + "\\n" + tell(h, numbers);
      });
      buttons.forEach((button) => {
        button.classList.toggle("on", +button.dataset.head === h);
        button.setAttribute("aria-pressed", +button.dataset.head === keep.head);
      });
      directions.forEach((button, d) => button.setAttribute("aria-pressed", toSource === (d === 0)));
      for (const { band } of views) {
        band.style.display = i === null ? "none" : "";
        if (i !== null) toSource ? box(band, 0, i - 0.5, n, 1) : box(band, i, -0.5, 1, n);
      }
    };

    const focusOn = (elements, what, value) => {
      for (const element of elements) {
        // The tip of a token changes with the focus, so it is shown again.
        element.addEventListener("pointerenter", () => { seen[what] = value(element); draw(); element.dispatchEvent(new Event("tip", { bubbles: true })); });
        element.addEventListener("focus", () => { seen[what] = value(element); draw(); });
        for (const end of ["pointerleave", "blur"]) element.addEventListener(end, () => { seen[what] = null; draw(); });
        element.addEventListener("click", () => {
          const chosen = value(element);
          keep[what] = what === "token" && keep.token === chosen ? null : chosen;
          draw();
        });
      }
    };
    focusOn(buttons, "head", (button) => +button.dataset.head);
    focusOn(spans, "token", (span) => spans.indexOf(span));
    directions.forEach((button, d) => button.addEventListener("click", () => { toSource = d === 0; draw(); }));

    for (const { cells, hit, cell } of views) {
      const place = (event) => {
        const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(cells.getScreenCTM().inverse());
        const inside = (v) => Math.max(0, Math.min(n - 1, Math.floor(v)));
        return [inside(point.y + 0.5), inside(point.x)];
      };
      const leave = () => { cell.style.display = "none"; delete cell.dataset.tip; };
      leave();
      hit.addEventListener("pointermove", (event) => {
        const [q, k] = place(event), h = head();
        box(cell, k, q - 0.5, 1, 1); cell.style.display = "";
        cell.dataset.tip = name(q) + " attends to " + name(k) + "\\n" + tell(h, values(h, q, k));
        cell.dispatchEvent(new Event("tip", { bubbles: true }));
        const now = toSource ? q : k;
        if (seen.token !== now) { seen.token = now; draw(); }
      });
      hit.addEventListener("pointerleave", () => { leave(); cell.dispatchEvent(new Event("tip", { bubbles: true })); seen.token = null; draw(); });
      hit.addEventListener("click", (event) => {
        const [q, k] = place(event), now = toSource ? q : k;
        keep.token = keep.token === now ? null : now; draw();
      });
    }

    root.addEventListener("keydown", (event) => {
      const button = event.target.closest(".head"), span = event.target.closest(".token");
      if (event.key === "Escape" && keep.token !== null) { keep.token = null; draw(); }
      if (span && (event.key === "Enter" || event.key === " ")) { event.preventDefault(); span.click(); }
      if (!button) return;
      const here = buttons.indexOf(button);
      const across = buttons.filter((other) => other.offsetTop === buttons[1].offsetTop).length;
      const to = { ArrowRight: here + 1, ArrowLeft: here - 1, ArrowDown: here + across, ArrowUp: here - across, Home: 0, End: buttons.length - 1 }[event.key];
      if (to === undefined || !buttons[to]) return;
      event.preventDefault(); button.tabIndex = -1; buttons[to].tabIndex = 0; buttons[to].focus();
    });
    root.querySelector(".reading").hidden = false;
    draw();
  }
})();`;

/** Focus on heads, tokens and cells. */
export const ATTENTION: Feature = {
  style: STYLE,
  script: SCRIPT,
  hash: "sha256-vK5K1M6YkulBPmdEM9rTKu2P2x2e5o2Ibi3zYqUCHL4=",
};
