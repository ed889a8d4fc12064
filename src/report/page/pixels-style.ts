import type { Feature } from "./needs.ts";

const STYLE = `
.on-dark { display: none; } .pixels .hit { cursor: crosshair; } .pixels .cell { fill: none; stroke: none; stroke-width: 1.5; pointer-events: none; }
.pixels .cell.on, .pixels .cell:focus { stroke: var(--ink); outline: none; }
`;

const DARK = `
.on-dark { display: inline; } .on-light { display: none; }
`;

/** Tips for images of cells. */
export const PIXELS: Feature = { name: "pixels", style: STYLE, dark: DARK };
