/** Pictures that have controls of their own, and what they report to the view that they are part of. */
import type { ViewPlace } from "./places.ts";

/** What a user does in a picture. */
export interface Listener {
  /** Points at a place, or at none any more. */
  readonly hover: (place: ViewPlace | null) => void;
  /** Selects a place, or releases what is selected along these axes. */
  readonly select: (place: ViewPlace, released?: readonly string[]) => void;
  /** Turns a switch. */
  readonly change: () => void;
}

/** Nobody listens: a page of its own. */
export const NOBODY: Listener = { hover: () => {}, select: () => {}, change: () => {} };

/** A picture that can be asked what it shows, and be made to show it. */
export interface Control<State = object> {
  readonly element: HTMLElement;
  readonly state: State;
  /** Shows what a state says; what it says nothing of, or what is not there, stays as it is. */
  readonly show: (state: Partial<State>) => void;
  /** Shows the selected place, as far as it is in the picture. */
  readonly select: (place: ViewPlace | null) => void;
  /** Shows a place that is pointed at elsewhere. */
  readonly point: (place: ViewPlace | null) => void;
}
