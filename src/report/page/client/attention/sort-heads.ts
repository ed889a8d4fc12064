/** Heads in the order of a metric, of which the first is selected. */
import { the } from "../root.ts";
import type { AttentionView } from "./view.ts";
import { short, twoDigits } from "./words.ts";

/** @returns what sorts them by the metric with an index, or with "" as they were */
export function sortHeads(view: AttentionView): (metric: string) => void {
  const { box, buttons, data, keep } = view;
  const grid = the(".grid-of-heads", box);
  const before = [...grid.children];
  const headOf = (button: HTMLElement) => Number(button.dataset.head);
  return (metric) => {
    const by = (view.sorted = metric === "" ? null : data.metrics[Number(metric)]);
    const rank = (head: number) => {
      if (head < 0 || !by) return Number.NEGATIVE_INFINITY;
      return by.lowestFirst ? by.values[head] : -by.values[head];
    };
    const ranked = by ? [...buttons].sort((a, b) => rank(headOf(a)) - rank(headOf(b)) || headOf(a) - headOf(b)) : [];
    grid.classList.toggle("sorted", by !== null);
    grid.append(...(by ? before.filter((item) => !buttons.includes(item as HTMLElement)) : before), ...ranked);
    for (const button of buttons) {
      const head = headOf(button);
      the("small", button).textContent = by && head >= 0 ? short(twoDigits(by.values[head])) : "";
    }
    if (by) keep.head = headOf(ranked.find((button) => headOf(button) >= 0)!);
    for (const button of buttons) button.tabIndex = headOf(button) === keep.head ? 0 : -1;
    grid.scrollTop = 0;
    view.draw();
  };
}
