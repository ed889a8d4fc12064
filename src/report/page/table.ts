import type { Finding } from "../../finding/finding.ts";
import { type Column, rowCount, type Scalar, type Table } from "../../finding/table.ts";
import { baselineSentence } from "../baseline-text.ts";
import { escapeMarkup, escapeProse } from "../escape.ts";
import { formatColumn, isNumeric, MISSING } from "../format.ts";
import { columnsToRead } from "../parts.ts";
import { visibleToken } from "../token-text.ts";

/** Tables with more rows than this are folded. */
const UNFOLDED_ROWS = 40;

/** The most rows of a table on a page: more would only make it slow to open. */
const MOST_ROWS = 1000;

/** Tables with more columns are wider than the text, if the window has room. */
const BROAD = 7;

/** A table with its caption, what to compare it with, and what its columns mean. */
export function tableHtml(table: Table, finding: Finding): string {
  const count = rowCount(table);
  const columns = columnsToRead(table);
  const shown = Math.min(count, MOST_ROWS);
  const cells = columns.map((column) => columnHtml(column, column.values.slice(0, shown)));
  const head = columns.map((column, c) => {
    const unit = column.unit ? ` <small>${escapeMarkup(column.unit)}</small>` : "";
    return `<th scope="col"${cells[c].numeric ? ' class="number"' : ""}>${escapeMarkup(column.title)}${unit}</th>`;
  });
  const rows = Array.from({ length: shown }, (_, r) => `<tr>${cells.map((column) => column.cells[r]).join("")}</tr>`);
  const caption = `<caption><span><b>${escapeMarkup(table.title)}.</b> ${escapeProse(table.caption ?? "")}</span></caption>`;
  const grid =
    `<div class="scroll" role="region" tabindex="0" aria-label="${escapeMarkup(table.title)}"><table>${caption}\n` +
    `<thead><tr>${head.join("")}</tr></thead>\n<tbody>\n${rows.join("\n")}\n</tbody></table></div>`;
  const hidden = count - shown;
  const left =
    hidden > 0 ? `\n<p class="note">… and ${hidden} more rows, which are in the JSON and CSV forms.</p>` : "";
  const folded =
    count > UNFOLDED_ROWS
      ? `<details class="rows"><summary>${escapeMarkup(table.title)} (${count} rows)</summary>\n${grid}${left}</details>`
      : grid;
  const broad = columns.length > BROAD ? " broad" : "";
  return `<div class="table${broad}" id="table-${escapeMarkup(table.name)}">\n${folded}${comparison(table, finding)}${legend(table)}\n</div>`;
}

function columnHtml(column: Column, values: readonly Scalar[]): { numeric: boolean; cells: string[] } {
  const numeric = isNumeric(column, values);
  const texts = formatColumn(column, values);
  const cells = values.map((value, r) => {
    if (numeric) return `<td class="number" data-v="${value ?? ""}">${minus(texts[r])}</td>`;
    if (value === null) return `<td data-v="">${MISSING}</td>`;
    if (column.format !== "token") return `<td class="words">${escapeMarkup(texts[r])}</td>`;
    return `<td><span class="token">${escapeMarkup(visibleToken(String(value), { spaces: false }))}</span></td>`;
  });
  return { numeric, cells };
}

/** A proper minus sign is as wide as a digit. */
function minus(number: string): string {
  return escapeMarkup(number).replace(/^-/, "−");
}

function comparison(table: Table, finding: Finding): string {
  if (!table.comparedWith?.length) return "";
  const texts = finding.baselines
    .filter((b) => table.comparedWith?.includes(b.name))
    .map((b) => escapeProse(baselineSentence(b)));
  return `\n<p class="note">Compare with ${texts.join(" ")}</p>`;
}

function legend(table: Table): string {
  const entries = columnsToRead(table).map(
    (column) =>
      `<dt>${escapeMarkup(column.title)}</dt><dd>${escapeProse(column.description)}` +
      `${column.axis ? ` Axis: <code>${escapeMarkup(column.axis)}</code>.` : ""}</dd>`,
  );
  return `\n<details><summary>What the columns mean</summary><dl>${entries.join("")}</dl></details>`;
}
