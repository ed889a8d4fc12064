import { LIGHTNESS } from "../hue.ts";
import type { Feature } from "./needs.ts";

const STYLE = `
:root { --l0: ${LIGHTNESS.light[0]}; --l1: ${LIGHTNESS.light[1]}; }
.stage { display: grid; grid-template: "tools tools" "view heads" "reading reading" / minmax(0, 1fr) 228px; gap: 14px 22px; align-items: start; }
.stage.alone { display: block; } .alone .reading, .alone .view { margin-top: 14px; } .view { grid-area: view; min-width: 0; } .heads { grid-area: heads; min-width: 0; } .reading { grid-area: reading; min-width: 0; }
.stage[hidden], .moving .still { display: none; }
.tools { grid-area: tools; display: flex; flex-wrap: wrap; gap: 6px 10px; align-items: center; font-size: 0.78rem; line-height: 1.5; color: var(--soft); }
.tools select { font: inherit; color: var(--ink); background: var(--page); border: 1px solid var(--rule); border-radius: 5px; padding: 2px 4px; }
.tools button, .direction button { all: unset; cursor: pointer; padding: 2px 10px; border: 1px solid var(--rule); border-radius: 5px; }
.tools button[aria-pressed=true], .direction button[aria-pressed=true] { background: var(--chip); color: var(--ink); box-shadow: inset 0 -2px var(--accent); }
.tools .zoom { display: inline-flex; align-items: center; gap: 4px; margin-left: auto; } .tools .zoom[hidden] { display: none; } .tools .zoom button { padding: 2px 8px; min-width: 0.7em; text-align: center; }
.tools button:disabled { opacity: 0.4; cursor: default; } .tools output { min-width: 2.6em; text-align: center; font-variant-numeric: tabular-nums; }
.tools :is(button, select):focus-visible, .direction button:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
.view .heading { font-weight: 650; font-size: 0.95rem; line-height: 1.3; margin: 0; } .facts { font-size: 0.78rem; line-height: 1.45; color: var(--soft); margin: 1px 0 3px; min-height: 1.45em; font-variant-numeric: tabular-nums; }
.ramp { display: flex; flex-wrap: wrap; align-items: center; gap: 2px 7px; font-size: 0.78rem; color: var(--soft); margin: 2px 0 10px;
  font-variant-numeric: tabular-nums; }
.ramp i { width: 120px; height: 8px; -webkit-print-color-adjust: exact; print-color-adjust: exact; }
.frame { overflow: auto; scrollbar-width: thin; } .frame .room { position: relative; } .frame canvas { position: sticky; top: 0; left: 0; display: block; cursor: crosshair; }
.frame .spot { position: absolute; pointer-events: none; } .frame:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.grid-of-heads { display: grid; grid-template-columns: repeat(auto-fill, minmax(var(--thumb), 1fr)); gap: 6px; max-height: 490px; overflow-y: auto;
  padding: 3px; scrollbar-width: thin; }
.head { all: unset; box-sizing: border-box; cursor: pointer; font-size: 0.7rem; line-height: 1.35; color: var(--soft); font-variant-numeric: tabular-nums; min-width: 0; }
.rows-of-layers .head[data-head="-1"] { grid-column: 1 / -1; width: var(--thumb); }
.grid-of-heads { position: relative; isolation: isolate; } .thumbs { position: absolute; z-index: -1; top: 0; left: 0; }
.thumb { display: block; width: 100%; aspect-ratio: 1; box-shadow: 0 0 0 1px var(--rule); } .head small { display: block; font-size: 0.95em; }
.head.on .thumb { box-shadow: 0 0 0 2px var(--accent); } .head.on { color: var(--ink); }
.head[aria-pressed=true] .thumb { box-shadow: 0 0 0 2px var(--ink); } .head[aria-pressed=true] { color: var(--ink); font-weight: 650; }
.head:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.axis { font-size: 0.66rem; line-height: 1; color: var(--soft); align-self: center; justify-self: center; font-variant-numeric: tabular-nums; }
.layered .grid-of-heads:not(.sorted) { grid-template-columns: max-content repeat(var(--columns), minmax(22px, 1fr)); gap: 3px; max-height: none; overflow-x: auto; }
.layered .grid-of-heads:not(.sorted) .head > span, .sorted .axis { display: none; } .axis.of-layers { justify-self: end; padding-right: 2px; }
[hidden].reading { display: none; } .status { font-size: 0.85rem; line-height: 1.45; color: var(--soft); margin: 0 0 4px; }
.direction { display: inline-flex; margin: 0 0 6px; border: 1px solid var(--rule); border-radius: 5px; overflow: hidden; }
.direction button { font-size: 0.78rem; padding: 3px 10px; color: var(--soft); border: 0; border-radius: 0; } .direction button:focus-visible { outline-offset: -2px; }
.attention .token { cursor: pointer; box-shadow: 0 0 0 1px var(--rule); margin-right: 3px; } .attention .tokens { position: relative; isolation: isolate; max-height: 50vh; overflow-y: auto; padding: 20px 2px 2px; scrollbar-width: thin; }
.arcs { position: absolute; z-index: -1; top: 0; left: 0; width: 100%; pointer-events: none; } .arcs path { fill: none; stroke-linecap: round; stroke-linejoin: round; }
.attention .token.on { box-shadow: 0 0 0 2px var(--accent); } .attention .token[aria-pressed=true] { box-shadow: 0 0 0 2px var(--ink); }
@media screen and (min-width: 1000px) { .stage { grid-template-columns: minmax(0, 1fr) 342px; } .stage.layered { grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); } }
@media (max-width: 600px) { .ramp i { width: 84px; } .stage, .stage.layered { grid-template: "tools" "view" "reading" "heads" / minmax(0, 1fr); } .grid-of-heads { max-height: 60vh; }
  .stage.layered { grid-template-areas: "tools" "view" "heads" "reading"; } .tools .zoom { margin-left: 0; } }
`;

const DARK = `
:root { --l0: ${LIGHTNESS.dark[0]}; --l1: ${LIGHTNESS.dark[1]}; } .still :is(image, .cells) { filter: invert(0.9) hue-rotate(180deg); }
`;

/** Focus on heads, tokens and cells. On paper and without the script there is the still drawing. */
export const ATTENTION: Feature = { name: "attention", style: STYLE, dark: DARK };
