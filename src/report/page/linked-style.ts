import type { Feature } from "./needs.ts";

const STYLE = `
.lit.token, td.lit { box-shadow: 0 0 0 2px var(--accent); } tr.lit > td, tr.lit > th { background: var(--shade); }
svg .lit { stroke: var(--ink); stroke-width: 2px; paint-order: stroke; }
`;

/** Places that light up together. */
export const LINKED: Feature = { name: "linked", style: STYLE };
