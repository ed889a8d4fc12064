/** The buttons of heads: in the order of a metric, with marks on those that are shown and selected. */
import type { AttentionMetric } from "../../../../finding/picture.ts";
import { the } from "../root.ts";
import { short, twoDigits } from "./words.ts";

export function headOf(button: HTMLElement): number {
  return Number(button.dataset.head);
}

/** The buttons of heads in their grid, which may be sorted. */
export class HeadGrid {
  readonly buttons: readonly HTMLElement[];
  readonly grid: HTMLElement | null;
  readonly #before: readonly Element[];
  #marked: readonly HTMLElement[] = [];

  constructor(grid: HTMLElement | null, buttons: readonly HTMLElement[]) {
    this.buttons = buttons;
    this.grid = grid;
    this.#before = [...(grid?.children ?? [])];
  }

  /** Puts the buttons into the order of a metric, or of layers. @returns the first head */
  sort(by: AttentionMetric | null): number | undefined {
    const rank = (head: number) => {
      if (head < 0 || !by) return Number.NEGATIVE_INFINITY;
      return by.lowestFirst ? by.values[head] : -by.values[head];
    };
    const ranked = [...this.buttons].sort((a, b) => rank(headOf(a)) - rank(headOf(b)) || headOf(a) - headOf(b));
    this.grid?.classList.toggle("sorted", by !== null);
    const others = this.#before.filter((item) => !this.buttons.includes(item as HTMLElement));
    this.grid?.append(...(by ? [...others, ...ranked] : this.#before));
    for (const button of this.buttons) {
      const head = headOf(button);
      the("small", button).textContent = by && head >= 0 ? short(twoDigits(by.values[head])) : "";
    }
    if (this.grid) this.grid.scrollTop = 0;
    const first = ranked.find((button) => headOf(button) >= 0);
    return by && first ? headOf(first) : undefined;
  }

  /** Makes a head the only tab stop. */
  makeStop(head: number): void {
    for (const button of this.buttons) button.tabIndex = headOf(button) === head ? 0 : -1;
  }

  /** Marks the head that is large, and the one that is selected. */
  mark(large: number, selected: number | null): void {
    const marked = this.buttons.filter((button) => headOf(button) === large || headOf(button) === selected);
    for (const button of new Set([...this.#marked, ...marked])) {
      button.classList.toggle("on", headOf(button) === large);
      setPressed(button, headOf(button) === selected);
    }
    this.#marked = marked;
  }
}

/** Sets whether a button is pressed, only where that changes. */
export function setPressed(button: HTMLElement, pressed: boolean): void {
  if (button.getAttribute("aria-pressed") !== String(pressed)) button.setAttribute("aria-pressed", String(pressed));
}
