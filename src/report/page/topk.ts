import type { RankedToken, TopkSpec } from "../../finding/picture.ts";
import { altText, legendSvg } from "../draw/drawing.ts";
import { rankedNumbers, rankedTitle, topkColoring } from "../draw/ranked.ts";
import { indices } from "../draw/ticks.ts";
import { escapeMarkup } from "../escape.ts";
import { visibleToken } from "../token-text.ts";
import type { PageNeeds } from "./needs.ts";

/** A table with a column for each neuron; it is one tab stop, and arrow keys move from cell to cell. */
export function topkHtml(spec: TopkSpec, { tokens }: PageNeeds): string {
  const colors = topkColoring(spec);
  const number = rankedNumbers(spec);
  let first = true;
  const cell = (entry: RankedToken | undefined) => {
    if (!entry) return "<td></td>";
    const stop = first ? 0 : -1;
    first = false;
    return (
      `<td class="${tokens.of(colors.of(entry.value))}" tabindex="${stop}" title="${escapeMarkup(rankedTitle(entry, spec.color?.unit))}">` +
      `<div><span class="said">${escapeMarkup(visibleToken(entry.token))}</span>` +
      `<small>${number(entry.value)}</small></div></td>`
    );
  };
  const rows = (
    name: string,
    side: (column: TopkSpec["columns"][number]) => readonly RankedToken[],
    atEnd: boolean,
  ) => {
    const most = Math.max(0, ...spec.columns.map((column) => side(column).length));
    return indices(most).map((r) => {
      const cells = spec.columns.map((column) => {
        const entries = side(column);
        return cell(entries[atEnd ? r - (most - entries.length) : r]);
      });
      const heading = r === (atEnd ? most - 1 : 0) ? name : "";
      return `<tr>${heading ? `<th scope="row">${heading}</th>` : "<td></td>"}${cells.join("")}</tr>`;
    });
  };
  const named = spec.of || spec.columns.some(({ name }) => name);
  const head = spec.columns.map((column) => `<th scope="col">${escapeMarkup(column.name)}</th>`);
  const top = rows("largest", (column) => column.top, false);
  const bottom = rows("smallest", (column) => column.bottom ?? [], true);
  const legend = legendSvg([{ kind: "ramp", coloring: colors }], 320, `Colours of: ${altText(spec)}`);
  return (
    `<div class="legend">${legend}</div>\n<div class="scroll"><table class="grid ranked" aria-label="${escapeMarkup(altText(spec))}">\n` +
    (named ? `<thead><tr><th>${escapeMarkup(spec.of ?? "")}</th>${head.join("")}</tr></thead>\n` : "") +
    `<tbody>${top.join("\n")}</tbody>\n` +
    (bottom.length > 0 ? `<tbody>${bottom.join("\n")}</tbody>` : "") +
    `</table></div>`
  );
}
