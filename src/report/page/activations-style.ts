import type { Feature } from "./needs.ts";

const STYLE = `
.fields { display: flex; flex-wrap: wrap; gap: 8px 22px; align-items: baseline; font-size: 0.88rem; margin: 0 0 14px; }
.fields[hidden] { display: none; }
.fields input, .fields select { font: inherit; color: inherit; background: var(--shade); border: 1px solid var(--rule); border-radius: 4px; padding: 3px 6px; }
.fields input { width: 6.2em; } .fields :focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
.fields small, .fields output { color: var(--soft); font-variant-numeric: tabular-nums; }
`;

/** The fields that select a neuron. */
export const ACTIVATIONS: Feature = { name: "activations", style: STYLE };
