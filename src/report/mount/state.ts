/** What a mounted view shows, as plain data. */
import type { GraphState } from "../../finding/picture.ts";
import type { ActivationsState } from "../page/client/activations.ts";
import type { AttentionState } from "../page/client/attention/state.ts";
import type { ViewPlace } from "../page/client/places.ts";

/** What a mounted view shows besides its data, as plain JSON. */
export interface ViewState {
  /** The place that is selected, or `null`: `{ layer: 0, head: 3, pos: 5 }`. */
  readonly selected: ViewPlace | null;
  /** The place that is pointed at, or `null`. */
  readonly pointed: ViewPlace | null;
  /** Which head, switches and zoom, which neuron, or which part of a graph, each picture of attention, activations or a graph shows, by the picture's name. */
  readonly pictures: Readonly<Record<string, AttentionState | ActivationsState | GraphState>>;
}

/** What a mounted view reports: each event with what its listeners get. */
export interface ViewEvents {
  /** A user has selected a place, or released it. */
  readonly select: ViewPlace | null;
  /** A user points at a place, or at none any more. */
  readonly hover: ViewPlace | null;
  /** A user has changed anything of the state but what is pointed at. */
  readonly change: ViewState;
}
