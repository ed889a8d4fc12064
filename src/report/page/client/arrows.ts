/** Arrow keys from token to token and text to text, and from cell to cell of tables. */
import { all, type Behaviour, closest, moveFocus, on, type Root } from "./root.ts";

export const arrows: Behaviour = (root, life) => {
  on(root, "keydown", (event) => betweenTokens(event, root), life);
  on(root, "keydown", betweenCells, life);
};

function betweenTokens(event: KeyboardEvent, root: Root): void {
  const token = closest(event, ".tokens .token");
  if (!token) return;
  const line = token.parentElement!;
  const row = all(".token", line);
  const at = row.indexOf(token);
  const lines = all(".tokens", token.closest("figure") ?? root);
  const along: Record<string, HTMLElement | undefined> = {
    ArrowRight: row[at + 1],
    ArrowLeft: row[at - 1],
    Home: row[0],
    End: row.at(-1),
  };
  const across: Record<string, number> = { ArrowDown: 1, ArrowUp: -1 };
  const other = lines[lines.indexOf(line) + (across[event.key] ?? Number.NaN)];
  const next =
    along[event.key] ??
    (other &&
      all(".token", other)
        .slice(0, at + 1)
        .at(-1));
  if (!next) return;
  event.preventDefault();
  moveFocus(token, next);
}

function betweenCells(event: KeyboardEvent): void {
  const cell = closest<HTMLTableCellElement>(event, ".grid td");
  const steps: Record<string, readonly [number, number]> = {
    ArrowRight: [0, 1],
    ArrowLeft: [0, -1],
    ArrowDown: [1, 0],
    ArrowUp: [-1, 0],
  };
  const step = steps[event.key];
  if (!cell || !step) return;
  const rows = all<HTMLTableRowElement>("tr", cell.closest("table")!);
  const row = rows[rows.indexOf(cell.parentElement as HTMLTableRowElement) + step[0]];
  const to = row?.cells[cell.cellIndex + step[1]];
  if (!to?.dataset.tip) return;
  event.preventDefault();
  moveFocus(cell, to);
}
