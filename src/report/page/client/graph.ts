/** Graphs: what leads to a node, and what it leads to; the part with most of the influence; pinned nodes alone, in groups. */
import type { Listener } from "./control.ts";
import { listenToFiles } from "./graph/files.ts";
import { listenToNodes } from "./graph/pressing.ts";
import { listenToTools } from "./graph/tools.ts";
import { GraphView } from "./graph/view.ts";
import { all, type Behaviour, onResize, type Root } from "./root.ts";

export const graph: Behaviour = (root, life) => {
  graphViews(root, life);
};

/** Brings all graphs to life. */
export function graphViews(root: Root, life: AbortSignal, listener?: Listener): GraphView[] {
  return all("[data-graph]", root).map((box) => {
    const view = new GraphView(box, listener);
    for (const listen of [listenToNodes, listenToTools, listenToFiles]) listen(view, life);
    onResize(view.drawing, () => view.fit(), life);
    return view;
  });
}
