/** The finding of the analysis that is shown. */
import { useEffect, useRef } from "preact/hooks";
import type { Finding } from "../finding/finding.ts";
import { ReportView } from "./report-view.ts";
import { change, state } from "./store.ts";

/** @param only its answer's picture, without words */
export function FindingView({ finding, only = false }: { readonly finding: Finding; readonly only?: boolean }) {
  const place = useRef<HTMLDivElement>(null);
  const view = useRef<ReportView>(undefined);
  useEffect(() => {
    view.current = new ReportView(place.current!, (at) => {
      change({ selection: at === state.peek().selection ? "" : at });
    });
    return () => view.current!.destroy();
  }, []);
  useEffect(() => {
    const shown = view.current!;
    void shown.show(finding, only).then(() => shown.mark(state.peek().selection));
  }, [finding, only]);
  const { selection } = state.value;
  useEffect(() => view.current!.mark(selection), [selection]);
  return <div class="finding" ref={place} />;
}
