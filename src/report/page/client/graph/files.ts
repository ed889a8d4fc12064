/** What the buttons below a graph save: what is shown, and in files of the graph what is pinned and in groups. */
import { frame } from "../../../draw/drawing.ts";
import { drawGraph } from "../../../draw/graph.ts";
import { withPins } from "../../../draw/graph-pins.ts";
import { toJson } from "../../../json.ts";
import { SAVING, type Saving } from "../files.ts";
import type { GraphView } from "./view.ts";

/** As other pictures' files are: with this edge around them. */
const [WIDTH, PADDING] = [680, 12];

export function listenToFiles(view: GraphView, life: AbortSignal): void {
  const first = JSON.stringify(view.state);
  const figure = view.element.closest("figure")!;
  const saved = ({ detail }: CustomEvent<Saving>) => {
    if (JSON.stringify(view.state) !== first) detail.content = asShown(view, detail);
  };
  figure.addEventListener(SAVING, saved as EventListener, { signal: life });
}

function asShown({ looked, state, spec }: GraphView, { form, content }: Saving): string {
  if (form === "json") return toJson({ ...JSON.parse(content), state });
  if (form === "graph.json") return toJson(withPins(JSON.parse(content), looked));
  const drawing = drawGraph(looked, (spec.width ?? WIDTH) - 2 * PADDING);
  const [metadata = ""] = /<metadata>.*?<\/metadata>/s.exec(content) ?? [];
  return frame(looked, drawing, { padding: PADDING }).replace(/>/, () => `>${metadata}`);
}
