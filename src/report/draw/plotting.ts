/**
 * Observable Plot and a document for it to draw in: the page's own, or linkedom's where there is none (Node, a worker).
 * Both are loaded when the first chart is drawn, so that programs that draw nothing do not wait for them.
 */
import type * as marks from "./marks.ts";

export interface Plotting {
  readonly plot: typeof marks;
  readonly document: Document;
}

let loading: Promise<Plotting> | undefined;

/** Loads what charts need, once. Call it early, so that it loads while a model runs. */
export function loadCharts(): Promise<Plotting> {
  loading ??= load();
  return loading;
}

async function load(): Promise<Plotting> {
  const [plot, document] = await Promise.all([import("./marks.ts"), findDocument()]);
  return { plot, document };
}

async function findDocument(): Promise<Document> {
  if (typeof document !== "undefined") return document;
  // linkedom's single-file build loads in a third of the time that its 150 modules take.
  const { parseHTML } = await import("linkedom/worker");
  return parseHTML("<html></html>").document as unknown as Document;
}
