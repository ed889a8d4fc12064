import type { LogitLensSpec } from "../../finding/picture.ts";
import { placed } from "../draw/at-places.ts";
import { altText, legendSvg } from "../draw/drawing.ts";
import { isRight, lensColors, lensLegend, lensTitle, shortProbability } from "../draw/logit-lens.ts";
import { indices } from "../draw/ticks.ts";
import { escapeMarkup } from "../escape.ts";
import { MISSING } from "../format.ts";
import { visibleToken } from "../token-text.ts";
import type { PageNeeds } from "./needs.ts";

/** A table with the last layer on top; it is one tab stop, and arrow keys move from cell to cell. */
export function logitLensHtml(spec: LogitLensSpec, { tokens }: PageNeeds): string {
  const colors = lensColors(spec);
  const layers = indices(spec.layers.length).reverse();
  const edge = (name: string, texts: readonly (string | null)[]) => {
    const cells = texts.map((text, pos) => {
      const shown = text === null ? MISSING : escapeMarkup(visibleToken(text));
      return `<th scope="col" title="${name} at position ${pos}: ${shown}">${shown}</th>`;
    });
    return `<tr><th>${name}</th>${cells.join("")}</tr>`;
  };
  const rows = layers.map((layer, r) => {
    const { name, cells } = spec.layers[layer];
    const tds = cells.map((cell, pos) => {
      const color = tokens.of(colors.coloring.of(colors.of(cell)));
      const [top] = cell.top;
      const said = top
        ? `<span class="said">${escapeMarkup(visibleToken(top.token))}</span><small>${escapeMarkup(shortProbability(top.probability))}</small>`
        : "";
      return (
        `<td class="${color}${isRight(cell) ? " right" : ""}" tabindex="${r === 0 && pos === 0 ? 0 : -1}" ` +
        `title="${escapeMarkup(lensTitle(spec, layer, pos))}"${placed(cell.place ?? `layer=${name.replace(/\s/g, "_")} pos=${pos}`)}>${said}</td>`
      );
    });
    return `<tr><th scope="row">${escapeMarkup(visibleToken(name))}</th>${tds.join("")}</tr>`;
  });
  const cell = Math.round(Math.max(50, Math.min(84, 820 / Math.max(1, spec.tokens.length))));
  const legend = legendSvg(lensLegend(colors, spec), 360, `Colours of: ${altText(spec)}`);
  return (
    `<div class="legend">${legend}</div>\n<div class="scroll"><table class="grid lens" style="--cell:${cell}px" aria-label="${escapeMarkup(altText(spec))}">\n` +
    `${spec.next ? `<thead>${edge("next", spec.next)}</thead>\n` : ""}<tbody>\n${rows.join("\n")}\n</tbody>\n` +
    `<tfoot>${edge("reads", spec.tokens)}</tfoot></table></div>`
  );
}
