/** The finding of the analysis that is shown. */
import { useEffect, useRef } from "preact/hooks";
import type { Finding } from "../finding/finding.ts";
import { type Shown, showReport } from "./report-view.ts";
import { change, state } from "./store.ts";

/** @param only its answer's picture, without words */
export function FindingView({ finding, only = false }: { readonly finding: Finding; readonly only?: boolean }) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const next = document.createElement("div");
    let shown: Promise<Shown> | undefined;
    // The old finding stays until the new one is drawn, so that nothing flickers.
    const before = place.current!.firstElementChild;
    place.current!.append(next);
    shown = showReport(next, finding, only).then((one) => {
      before?.remove();
      markSelection(next);
      return one;
    });
    return () => void shown.then((one) => one.destroy()).catch(() => {});
  }, [finding, only]);
  const { selection } = state.value;
  useEffect(() => markSelection(place.current!), [selection]);
  useEffect(() => {
    place.current!.addEventListener("click", select);
    place.current!.addEventListener("keydown", selectByKey);
  }, []);
  return <div class="finding" ref={place} />;
}

/** A click selects the place of what was clicked, or releases it; links within the report go there without a new address. */
function select(event: Event): void {
  if (!(event.target instanceof Element)) return;
  const link = event.target.closest<HTMLAnchorElement>('a[href^="#"]');
  const place = event.target.closest<HTMLElement>("[data-at]")?.dataset.at;
  if (link) goTo(event, decodeURIComponent(link.hash.slice(1)));
  else if (place !== undefined) change({ selection: place === state.peek().selection ? "" : place });
}

function selectByKey(event: KeyboardEvent): void {
  if (event.key === "Enter" && event.target instanceof Element && event.target.matches("[data-at]")) select(event);
}

function goTo(event: Event, id: string): void {
  event.preventDefault();
  const there = document.getElementById(id);
  if (there instanceof HTMLDetailsElement) there.open = true;
  there?.scrollIntoView();
}

/** Marks everything that is at the selected place. */
function markSelection(root: ParentNode): void {
  for (const one of root.querySelectorAll(".held")) one.classList.remove("held");
  const words = state.peek().selection.split(" ").filter(Boolean);
  if (words.length === 0) return;
  const all = words.map((word) => `[data-at~="${CSS.escape(word)}"]`).join("");
  for (const one of root.querySelectorAll(all)) one.classList.add("held");
}
