/** Tables are sorted by a click on a heading: numbers numerically, from the largest; missing values last. */
import { all, on } from "./root.ts";

export function sorting(root: ParentNode, life: AbortSignal): void {
  for (const table of all<HTMLTableElement>("table:not(.grid)", root)) {
    all<HTMLTableCellElement>("thead th", table).forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      if (!head.textContent!.trim()) button.setAttribute("aria-label", `sort by column ${column + 1}`);
      button.append(...head.childNodes);
      head.append(button);
      on(button, "click", () => sort(table, head, column), life);
    });
  }
}

function sort(table: HTMLTableElement, head: HTMLTableCellElement, column: number): void {
  const sorted = head.getAttribute("aria-sort");
  const down = sorted ? sorted === "ascending" : head.classList.contains("number");
  for (const other of all("thead th", table)) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  const key = (row: HTMLTableRowElement) => row.cells[column].dataset.v ?? row.cells[column].textContent!;
  const [body] = table.tBodies;
  const rows = [...body.rows].sort((a, b) => {
    const [x, y] = [key(a), key(b)];
    if (x === "" || y === "") return Number(x === "") - Number(y === "");
    const [p, q] = [Number(x), Number(y)];
    return (down ? -1 : 1) * (Number.isNaN(p) || Number.isNaN(q) ? x.localeCompare(y) : p - q);
  });
  body.append(...rows);
}
