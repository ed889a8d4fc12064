import type { Feature } from "./needs.ts";

const STYLE = `
.get { display: inline-flex; gap: 2px; margin-left: -5px; white-space: nowrap; vertical-align: baseline; }
.get button { all: unset; cursor: pointer; font-size: 0.72rem; line-height: 1.4; padding: 0 5px; border-radius: 3px; color: var(--soft); letter-spacing: 0.02em; font-weight: 400; }
.get button:hover { background: var(--chip); color: var(--ink); } .get button:focus-visible { outline: 2px solid var(--accent); outline-offset: 0; }
.kicker .get button { font-size: 0.78rem; }
@media print { .get { display: none; } }
`;

/** Buttons that save and copy. */
export const FILES: Feature = { name: "files", style: STYLE };
