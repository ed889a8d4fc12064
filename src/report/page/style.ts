/** The style of pictures, tables and prose, to read and to print. Light and dark colours; nothing from outside. */
import { darkOf, inkOn, rampVariables } from "../color.ts";
import { FONT } from "../draw/drawing.ts";
import { LAYOUT, SCROLL } from "./layout-style.ts";
import type { PageNeeds } from "./needs.ts";
import { PRINT } from "./print-style.ts";

const STYLE = `
:root { --ink: #1b1c1f; --soft: #5c6067; --rule: #dcdee3; --page: #fdfdfc; --shade: #f4f4f1;
  --accent: #3f6fae; --chip: #ecedef; }
* { box-sizing: border-box; }
h1 { font-size: 1.8rem; line-height: 1.22; letter-spacing: -0.015em; font-weight: 680; margin: 4px 0 16px; text-wrap: balance; }
h2 { font-size: 1.3rem; line-height: 1.3; letter-spacing: -0.01em; font-weight: 650; margin: 64px 0 12px; text-wrap: balance; }
p { margin: 0 0 16px; }
a { color: var(--accent); text-underline-offset: 2px; }
a:focus-visible, button:focus-visible, summary:focus-visible, [tabindex]:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
code, .token { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", "Liberation Mono", monospace; font-size: 0.86em; }
.kicker { color: var(--soft); font-size: 0.88rem; margin: 0; }
.lead { font-size: 1.14rem; line-height: 1.5; margin: 0; }
.results { padding: 0 0 0 1.1em; margin: 0; } .results li { margin: 0 0 10px; padding-left: 2px; } .results li::marker { color: var(--soft); }
.against { display: block; color: var(--soft); font-size: 0.85rem; line-height: 1.45; margin-top: 3px; }
figure { margin: 36px 0 44px; } header + figure { margin: 26px 0 32px; }
figure svg { display: block; width: 100%; height: auto; overflow: visible; }
figure svg text { white-space: pre; }
figcaption { font-size: 0.88rem; line-height: 1.5; color: var(--soft); margin-top: 12px; }
figcaption b { color: var(--ink); font-weight: 620; }
.narrow { display: none; }
.legend { margin-bottom: 14px; }
.legend svg { width: auto; max-width: 100%; }
.text .name { color: var(--soft); font-size: 0.78rem; font-variant-numeric: tabular-nums; text-align: right; overflow-wrap: anywhere; }
.texts { display: grid; grid-template-columns: fit-content(32%) 1fr; gap: 3px 12px; align-items: baseline; }
.texts .text { display: contents; }
.texts .heading { font-weight: 650; grid-column: 1 / -1; font-size: 0.88rem; margin: 10px 0 0; }
.tokens { margin: 0; line-height: 1.75; }
.token { white-space: pre; padding: 2px 2.5px; margin-right: 2px; border-radius: 2px; cursor: default; font-size: 0.8rem;
  -webkit-print-color-adjust: exact; print-color-adjust: exact; box-decoration-break: clone; -webkit-box-decoration-break: clone; }
.token.marked { box-shadow: 0 0 0 2px var(--ink); }
td .token { background: var(--chip); margin: 0; padding: 1px 4px; }
.table { margin: 36px 0 44px; }
table { border-collapse: collapse; font-size: 0.86rem; line-height: 1.4; font-variant-numeric: tabular-nums; }
.caption { font-size: 0.88rem; line-height: 1.5; color: var(--soft); margin: 0 0 10px; } .caption b, .rows b { color: var(--ink); font-weight: 620; }
th { text-align: left; vertical-align: bottom; font-weight: 600; border-bottom: 1.5px solid var(--ink); padding: 4px 9px 5px; }
th small, .unit { display: block; font-weight: 400; color: var(--soft); font-size: 0.92em; }
td.words { min-width: 7.5em; max-width: 30em; }
td { padding: 4px 9px; border-bottom: 1px solid var(--rule); vertical-align: top; }
th:first-child, td:first-child { padding-left: 0; } th:last-child, td:last-child { padding-right: 0; }
td.number, th.number { text-align: right; } td.number { white-space: nowrap; }
th button { all: unset; cursor: pointer; position: relative; } th button:focus-visible { outline: 2px solid var(--accent); outline-offset: 3px; }
th[aria-sort] button::after { position: absolute; bottom: 0; left: calc(100% + 2px); color: var(--accent); content: "↑"; }
th[aria-sort=descending] button::after { content: "↓"; } th.number[aria-sort] button::after { left: auto; right: calc(100% + 2px); }
.grid { border-collapse: separate; border-spacing: 2px; font-size: 0.78rem; line-height: 1.3; }
.grid th { border: 0; padding: 2px 6px; font-weight: 500; max-width: 16em; }
.grid th[scope=col] { font-weight: 600; } .grid tr > th:first-child { color: var(--soft); text-align: right; }
.grid td { border: 0; border-radius: 2px; cursor: default; -webkit-print-color-adjust: exact; print-color-adjust: exact; }
.grid td:focus-visible { outline-offset: -1px; }
.grid .said { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", "Liberation Mono", monospace; white-space: pre; }
.lens td { padding: 2px 2px 3px; text-align: center; min-width: var(--cell); font-size: 0.74rem; } .lens .said { display: block; }
.lens td:last-child { padding-right: 2px; } .ranked td:last-child { padding-right: 6px; }
.grid small { font-size: 0.88em; font-variant-numeric: tabular-nums; }
.lens td.right { box-shadow: inset 0 0 0 2px var(--ink); } .lens th[scope=col] { text-align: center; font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-weight: 400; font-size: 0.74rem; padding: 2px; white-space: pre; }
.ranked td { padding: 2px 6px; } .ranked td div { display: flex; justify-content: space-between; align-items: baseline; gap: 12px; white-space: nowrap; }
.ranked tbody + tbody::before { content: ""; display: block; height: 10px; }
.note { font-size: 0.85rem; color: var(--soft); margin: 10px 0 0; }
details { font-size: 0.88rem; margin-top: 10px; } summary { cursor: pointer; color: var(--soft); }
details dl { margin: 10px 0 0; }
.rows > summary { font-size: 0.88rem; } .rows[open] > summary { margin-bottom: 10px; }
.back { margin-top: 72px; border-top: 1px solid var(--rule); }
.section { border-bottom: 1px solid var(--rule); margin: 0; padding: 0; font-size: 0.95rem; }
.section > summary { padding: 11px 0; color: var(--ink); } .section[open] > :last-child { margin-bottom: 22px; }
.section h2 { display: inline; font-size: 1rem; font-weight: 600; letter-spacing: 0; } .section h2 small { color: var(--soft); font-weight: 400; margin-left: 4px; }
.section ul { padding-left: 1.1em; margin: 6px 0 0; } .section li { margin-bottom: 8px; } :target { scroll-margin-top: 24px; }
dl { display: grid; grid-template-columns: fit-content(36%) 1fr; gap: 6px 20px; margin: 0; font-size: 0.9rem; line-height: 1.5; }
dt { font-weight: 600; } dd { margin: 0; color: var(--soft); overflow-wrap: anywhere; }
dd strong { color: var(--ink); font-weight: 600; font-variant-numeric: tabular-nums; }
dl.facts dt { font-weight: 400; color: var(--soft); } dl.facts dd { color: var(--ink); font-variant-numeric: tabular-nums; }
.references { font-size: 0.9rem; padding-left: 1.3em; } .references li { margin-bottom: 4px; }
.flag { white-space: nowrap; } footer { overflow-wrap: anywhere; margin-top: 28px; color: var(--soft); font-size: 0.82rem; }
#tip { position: fixed; z-index: 9; max-width: min(340px, 90vw); padding: 7px 11px; border-radius: 5px; background: #1b1c1f; color: #f6f6f4;
  font-size: 0.8rem; line-height: 1.45; white-space: pre-wrap; pointer-events: none; font-variant-numeric: tabular-nums; box-shadow: 0 2px 12px #0003; }
[data-tip]:hover { filter: brightness(1.08); }
@media (max-width: 600px) {
  h1 { font-size: 1.5rem; } h2 { margin-top: 48px; }
  .wide { display: none; } .narrow { display: block; }
  .facts, dl { grid-template-columns: fit-content(44%) 1fr; }
}
`;

const DARK = `
:root { --ink: #e8e8e6; --soft: #a3a7ae; --rule: #3a3c42; --page: #17181b; --shade: #1f2024; --accent: #86b4ee; --chip: #2f3136; }
#tip { background: #f2f2ef; color: #17181b; }
`;

/** What is only true of a page of its own. */
const PAGE = `
:root { color-scheme: light dark; }
html { -webkit-text-size-adjust: 100%; scroll-behavior: smooth; }
body { margin: 0; background: var(--page); color: var(--ink); font: 17px/1.6 ${FONT}; }
@media (max-width: 600px) { body { font-size: 16px; } }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
`;

/** A page's style sheet: the fixed part, what its pictures need, and for dark pages a replacement for each of their colours. */
export function pageStyle(body: string, needs: PageNeeds): string {
  const { light, dark } = styleOf(body, needs, PAGE.trim() + LAYOUT.trim());
  return `${light}${PRINT.trim()}@media screen and (prefers-color-scheme:dark){${dark}}`;
}

/** The rules for a body, wherever it stands as `layout` says, and those that are added where it is dark. */
export function styleOf(
  body: string,
  { tokens, schemes, features }: PageNeeds,
  layout: string,
): { readonly light: string; readonly dark: string } {
  const variables = (dark: boolean) => {
    const ramps = [...schemes].map((scheme) => rampVariables(scheme, dark)).join("");
    return ramps && `:root{${ramps}}`;
  };
  const styles = [...features].map(({ style }) => style.trim()).join("");
  const darks = [...features].map(({ dark = "" }) => dark.trim()).join("");
  return {
    light: STYLE.trim() + SCROLL.trim() + layout + styles + variables(false) + tokens.rules(false),
    dark: DARK.trim() + darks + variables(true) + darkDrawings(body) + tokens.rules(true),
  };
}

/** A dark replacement for each colour of the drawings in a body. */
function darkDrawings(body: string): string {
  const used = new Set(
    [...body.matchAll(/ (fill|stroke)="(#[0-9a-f]{6})"/g)].map((match) => `${match[1]} ${match[2]}`),
  );
  const swaps = [...used].flatMap((use) => {
    const [attribute, color] = use.split(" ");
    const dark = darkOf(color);
    return dark ? [`svg [${attribute}="${color}"]{${attribute}:${dark}}`] : [];
  });
  const inks = [...new Set([...body.matchAll(/ data-on="(#[0-9a-f]{6})"/g)].map(([, color]) => color))].map(
    (color) => `svg [data-on="${color}"]{fill:${inkOn(darkOf(color) ?? color)}}`,
  );
  return [...swaps, ...inks].join("");
}
