import type { Feature } from "./needs.ts";

const STYLE = `
.fields { display: flex; flex-wrap: wrap; gap: 8px 22px; align-items: baseline; font-size: 0.88rem; margin: 0 0 14px; }
.fields[hidden] { display: none; }
.fields input, .fields select { font: inherit; color: inherit; background: var(--shade); border: 1px solid var(--rule); border-radius: 4px; padding: 3px 6px; }
.fields input { width: 6.2em; } .fields :focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
.fields small, .fields output { color: var(--soft); font-variant-numeric: tabular-nums; }
`;

/** Switches to another neuron: its colours, its scale, and its tokens' tips. */
const SCRIPT = `(() => {
  for (const root of document.querySelectorAll("[data-activations]")) {
    const { layers, neurons, scheme, domain, unit, fixed, tokens } = JSON.parse(root.dataset.activations);
    const values = new Float32Array(Uint8Array.from(atob(root.dataset.values), (c) => c.charCodeAt(0)).buffer);
    const fields = root.querySelector(".fields"), spans = [...root.querySelectorAll(".token")];
    const legend = [...root.querySelectorAll(".legend text")];
    const field = (name) => fields.querySelector("[name=" + name + "]");
    const index = (name, count) => Math.max(0, Math.min(count - 1, Math.round(Number(field(name)?.value) || 0)));
    const short = (v, digits) => String(+v.toPrecision(digits)).replace("-", "\\u2212");
    const named = (name) => {
      const input = field(name);
      if (!input) return fixed[name === "layer" ? 0 : 1];
      const label = input.closest("label").firstChild.textContent.trim();
      return input.tagName === "SELECT" ? input.selectedOptions[0].textContent : label + " " + input.value;
    };
    const draw = () => {
      const at = index("layer", layers) * neurons + index("neuron", neurons);
      const row = spans.map((_, i) => values[i * layers * neurons + at]);
      const real = row.filter((v) => !Number.isNaN(v));
      const low = Math.min(...real), high = Math.max(...real), most = Math.max(Math.abs(low), Math.abs(high)) || 1;
      const [from, to] = domain ?? (scheme === "RdBu" ? [-most, most] : scheme === "Blues" ? [0, most] : [low, low === high ? low + 1 : high]);
      const name = [named("layer"), named("neuron")].filter(Boolean).join(", ");
      spans.forEach((span, i) => {
        const v = row[i], part = Math.max(0, Math.min(1, (v - from) / (to - from || 1)));
        const level = "var(--" + scheme + (Number.isNaN(v) ? "-gap" : Math.round(100 * part));
        span.style.background = level + ")"; span.style.color = level + "i)";
        span.dataset.tip = "\\u201c" + tokens[i][0] + "\\u201d at position " + tokens[i][1] + "\\n" + name + ": "
          + (Number.isNaN(v) ? "\\u2013" : (short(v, 4) + " " + unit).trim());
      });
      if (name) legend[0].textContent = name + (unit ? " (" + unit + ")" : "");
      legend.slice(-3).forEach((text, i) => { text.textContent = short(from + (to - from) * i / 2, 3); });
      fields.querySelector("output").textContent = real.length ? "from " + short(low, 3) + " to " + short(high, 3) : "";
    };
    fields.addEventListener("input", draw);
    fields.addEventListener("change", (event) => { event.target.value = index(event.target.name, event.target.name === "layer" ? layers : neurons); draw(); });
    fields.hidden = false;
  }
})();`;

/** The fields that select a neuron. */
export const ACTIVATIONS: Feature = {
  style: STYLE,
  script: SCRIPT,
  hash: "sha256-83p0q9A4FnRiXNhmoLH1CKUVzz+W3G0ZHFjy55wVDZc=",
};
