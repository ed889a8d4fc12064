import { darkOf, seriesColor } from "../color.ts";
import type { Feature } from "./needs.ts";

const STYLE = `
.graph .stage[hidden], .graph.moving .still, .graph [hidden] { display: none; }
.graph .tools { display: flex; flex-wrap: wrap; gap: 8px 18px; align-items: center; font-size: 0.78rem; line-height: 1.5; color: var(--soft); margin-bottom: 12px; }
.graph .tools > :not([hidden]) { display: inline-flex; align-items: center; gap: 6px; }
.graph .tools button { all: unset; cursor: pointer; padding: 2px 10px; border: 1px solid var(--rule); border-radius: 5px; white-space: nowrap; }
.graph .tools button[aria-pressed=true] { background: var(--chip); color: var(--ink); box-shadow: inset 0 -2px var(--accent); } .graph .tools button:hover:enabled { color: var(--ink); }
.graph .tools button:disabled { opacity: 0.4; cursor: default; }
.graph .tools input { font: inherit; color: var(--ink); accent-color: var(--accent); margin: 0; } .graph .tools input[type=range] { width: 130px; }
.graph .tools input[type=text] { width: 9em; background: var(--page); border: 1px solid var(--rule); border-radius: 5px; padding: 2px 6px; }
.graph .tools output { font-variant-numeric: tabular-nums; color: var(--ink); min-width: 2.7em; } .graph .count { font-variant-numeric: tabular-nums; }
.graph .tools :is(button, input):focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
.graph .drawing [data-node] { cursor: pointer; outline: none; } .graph .drawing :is([data-node], [data-edge]) { transition: opacity 0.12s; }
.graph .drawing .faded { opacity: 0.13; } .graph .drawing [data-node].faded { opacity: 0.24; } .graph .drawing [data-pin] { stroke: var(--accent); }
.graph .drawing [data-node]:focus-visible > [data-shape] { stroke: var(--accent); stroke-width: 3px; stroke-opacity: 1; paint-order: stroke; }
.graph .drawing [data-node][aria-pressed=true] > [data-shape] { stroke: var(--accent); stroke-width: 2px; stroke-opacity: 1; }
.graph .drawing [data-node]:is(.lit, .chosen) { stroke: none; } .graph .drawing [data-node]:is(.lit, .chosen) > [data-shape] { stroke: var(--ink); stroke-width: 2px; stroke-opacity: 1; }
.graph .hint { font-size: 0.88rem; line-height: 1.5; color: var(--soft); margin: 12px 0 0; }
.graph [data-tip]:hover { filter: none; }
@media (max-width: 600px) { .graph .tools label.share { width: 100%; } .graph .tools input[type=range] { flex: 1; } }
@media (prefers-reduced-motion: reduce) { .graph .drawing :is([data-node], [data-edge]) { transition: none; } }
@media print { .graph .stage { display: none; } .graph.moving .still { display: block; } }
`;

const DARK = [0, 1]
  .map(seriesColor)
  .map((color) => `.graph svg [stroke="${color}"] { stroke: ${darkOf(color) ?? color}; }`)
  .join("\n");

/** Graphs whose nodes light up their paths. */
export const GRAPH: Feature = { name: "graph", style: STYLE, dark: DARK };
