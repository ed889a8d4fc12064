import type { Feature } from "./needs.ts";

const STYLE = `
figure svg [data-tip]:focus-visible { outline: 2px solid var(--ink); outline-offset: 1px; }
`;

/** The keyboard in drawings of cells, points and bars. */
export const CHARTS: Feature = { name: "charts", style: STYLE };
