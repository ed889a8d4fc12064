import type { LogitLensCell, LogitLensSpec } from "../../finding/picture.ts";
import { placed } from "../draw/at-places.ts";
import { altText, legendSvg } from "../draw/drawing.ts";
import { isRight, lensColors, lensLegend, lensTitle, shortProbability } from "../draw/lens-cells.ts";
import { indices } from "../draw/ticks.ts";
import { escapeMarkup } from "../escape.ts";
import { MISSING } from "../format.ts";
import { visibleToken } from "../token-text.ts";
import type { PageNeeds } from "./needs.ts";

/** A table has at most this many cells: a longer text is in several, of which one is unfolded. */
const MOST_CELLS = 1500;

/** Tables with the last layer on top; each is one tab stop, and arrow keys move from cell to cell. */
export function logitLensHtml(spec: LogitLensSpec, needs: PageNeeds): string {
  const colors = lensColors(spec);
  const paint = (cell: LogitLensCell) => needs.tokens.of(colors.coloring.of(colors.of(cell)));
  // The style has the colours of what is folded, too.
  for (const { cells } of spec.layers) cells.forEach(paint);
  const count = spec.tokens.length;
  const parts = Math.max(1, Math.ceil((count * spec.layers.length) / MOST_CELLS));
  const size = Math.ceil(count / parts);
  const legend = legendSvg(lensLegend(colors, spec), 360, `Colours of: ${altText(spec)}`);
  const tables = indices(parts).map((part) => {
    const [from, to] = [part * size, Math.min(count, (part + 1) * size)];
    const table = () => lensTable(spec, from, to, paint);
    if (parts === 1) return table();
    const last = part === parts - 1;
    const name = `Positions ${from} to ${to - 1}`;
    return `<details class="rows"${last ? " open" : ""}><summary>${name}</summary>${last ? table() : needs.later(table)}</details>`;
  });
  return `<div class="legend">${legend}</div>\n${tables.join("\n")}`;
}

/** The positions from one up to, but not including, another. */
function lensTable(spec: LogitLensSpec, from: number, to: number, paint: (cell: LogitLensCell) => string): string {
  const layers = indices(spec.layers.length).reverse();
  const edge = (name: string, texts: readonly (string | null)[]) => {
    const cells = texts.slice(from, to).map((text, i) => {
      const shown = text === null ? MISSING : escapeMarkup(visibleToken(text));
      return `<th scope="col" title="${name} at position ${from + i}: ${shown}">${shown}</th>`;
    });
    return `<tr><th>${name}</th>${cells.join("")}</tr>`;
  };
  const rows = layers.map((layer, r) => {
    const { name, cells } = spec.layers[layer];
    const tds = cells.slice(from, to).map((cell, i) => {
      const pos = from + i;
      const [top] = cell.top;
      const said = top
        ? `<span class="said">${escapeMarkup(visibleToken(top.token))}</span><small>${escapeMarkup(shortProbability(top.probability))}</small>`
        : "";
      return (
        `<td class="${paint(cell)}${isRight(cell) ? " right" : ""}" tabindex="${r === 0 && i === 0 ? 0 : -1}" ` +
        `title="${escapeMarkup(lensTitle(spec, layer, pos))}"${placed(cell.place ?? `layer=${name.replace(/\s/g, "_")} pos=${pos}`)}>${said}</td>`
      );
    });
    return `<tr><th scope="row">${escapeMarkup(visibleToken(name))}</th>${tds.join("")}</tr>`;
  });
  const cell = Math.round(Math.max(50, Math.min(84, 820 / Math.max(1, spec.tokens.length))));
  const which = to - from < spec.tokens.length ? `Positions ${from} to ${to - 1}. ` : "";
  return (
    `<div class="scroll"><table class="grid lens" style="--cell:${cell}px" aria-label="${which}${escapeMarkup(altText(spec))}">\n` +
    `${spec.next ? `<thead>${edge("next", spec.next)}</thead>\n` : ""}<tbody>\n${rows.join("\n")}\n</tbody>\n` +
    `<tfoot>${edge("reads", spec.tokens)}</tfoot></table></div>`
  );
}
