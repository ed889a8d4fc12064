import { type Column, rowCount, type Scalar, type Table } from "../../finding/table.ts";
import { placed } from "../draw/at-places.ts";
import { escapeMarkup, escapeProse } from "../escape.ts";
import { formatColumn, isNumeric, MISSING } from "../format.ts";
import { columnsToRead } from "../parts.ts";
import { visibleToken } from "../token-text.ts";
import { placeOf } from "../views/rows.ts";
import type { Comparing } from "./comparing.ts";
import { idOf } from "./ids.ts";
import type { PageNeeds } from "./needs.ts";

/** Tables with more rows than this are folded. */
const UNFOLDED_ROWS = 40;

/** The most rows of a table on a page: more would only make it slow to open. */
const MOST_ROWS = 1000;

/** Tables with more rows than this scroll under their headings. */
const TALL = 24;

/** On paper, tables with more columns than this have smaller letters. */
const BROAD = 7;

/** A table with its caption, what to compare it with, and what its columns mean. */
export function tableHtml(table: Table, compare: Comparing, needs: PageNeeds): string {
  const count = rowCount(table);
  const shown = Math.min(count, MOST_ROWS);
  const id = idOf("table", table.name);
  const hidden = count - shown;
  const left =
    hidden > 0 ? `\n<p class="note">… and ${hidden} more rows, which are in the JSON and CSV forms.</p>` : "";
  const title = escapeMarkup(table.title);
  const about = table.caption ? `<span> ${escapeProse(table.caption)}</span>` : "";
  const caption = `<p class="caption"><b id="${id}-title">${title}.</b>${about}</p>`;
  const grid = () => `<div class="scroll${shown > TALL ? " tall" : ""}">${gridOf(table, shown, `${id}-title`)}</div>`;
  const notes = compare.table(table) + legend(table);
  const body =
    count > UNFOLDED_ROWS
      ? `<details class="rows"><summary><b id="${id}-title">${title}.</b> <small>${count} rows</small></summary>\n` +
        `<p class="caption">${about}</p>\n${needs.later(grid)}${left}${notes}</details>`
      : `${caption}\n${grid()}${notes}`;
  const size = shown > TALL ? "" : " short";
  return `<div class="table${size}" id="${id}">\n${body}\n</div>`;
}

function gridOf(table: Table, shown: number, label: string): string {
  const columns = columnsToRead(table);
  const cells = columns.map((column) => columnHtml(column, column.values.slice(0, shown)));
  const head = columns.map((column, c) => {
    const unit = column.unit ? ` <small>${escapeMarkup(column.unit)}</small>` : "";
    return `<th scope="col"${cells[c].numeric ? ' class="number"' : ""}>${escapeMarkup(column.title)}${unit}</th>`;
  });
  const where = table.columns.filter(({ axis }) => axis !== undefined);
  const rows = Array.from(
    { length: shown },
    (_, r) => `<tr${placed(placeOf(where, r))}>${cells.map((column) => column.cells[r]).join("")}</tr>`,
  );
  const broad = columns.length > BROAD ? ` class="broad"` : "";
  return (
    `<table${broad} aria-labelledby="${label}">\n<thead><tr>${head.join("")}</tr></thead>\n` +
    `<tbody>\n${rows.join("\n")}\n</tbody></table>`
  );
}

function columnHtml(column: Column, values: readonly Scalar[]): { numeric: boolean; cells: string[] } {
  const numeric = isNumeric(column, values);
  const texts = formatColumn(column, values);
  const cells = values.map((value, r) => {
    if (numeric) return `<td class="number" data-v="${value ?? ""}">${escapeMarkup(texts[r])}</td>`;
    if (value === null) return `<td data-v="">${MISSING}</td>`;
    if (column.format !== "token") return `<td class="words">${escapeMarkup(texts[r])}</td>`;
    return `<td><span class="token">${escapeMarkup(visibleToken(String(value)))}</span></td>`;
  });
  return { numeric, cells };
}

function legend(table: Table): string {
  const entries = columnsToRead(table).map(
    (column) =>
      `<dt>${escapeMarkup(column.title)}</dt><dd>${escapeProse(column.description)}` +
      `${column.axis ? ` Axis: <code>${escapeMarkup(column.axis)}</code>.` : ""}</dd>`,
  );
  return `\n<details><summary>What the columns mean</summary><dl>${entries.join("")}</dl></details>`;
}
