/** Pictures whose controls are loaded only where there are such pictures. */
import { neuronViews } from "../page/client/activations.ts";
import type { Control, Listener } from "../page/client/control.ts";
import { graphViews } from "../page/client/graph.ts";
import { pixels } from "../page/client/pixels.ts";
import type { Root } from "../page/client/root.ts";

/** Brings them to life. */
export function otherControls(root: Root, life: AbortSignal, listener: Listener): Control[] {
  pixels(root, life);
  return [...neuronViews(root, life, listener), ...graphViews(root, life, listener)];
}
