/** Pictures and findings in other people's pages. */
import { ArgumentError, GlassformerError, UnknownNameError } from "../tensor/errors.ts";
import { FUNCTION, OBJECT, oneOf, orNull } from "../tensor/kinds.ts";
import { checkArgument, checkOptions, type OptionKinds } from "../tensor/options.ts";
import { shown } from "../tensor/show.ts";
import { checkMountable, type Mountable } from "./mount/content.ts";
import { MountedView } from "./mount/mounted-view.ts";
import type { ViewEvents, ViewState } from "./mount/state.ts";

export type { GraphState } from "../finding/picture.ts";
export type { Mountable } from "./mount/content.ts";
export type { ViewEvents, ViewState } from "./mount/state.ts";
export type { ActivationsState } from "./page/client/activations.ts";
export type { AttentionState } from "./page/client/attention/state.ts";
export type { ViewPlace } from "./page/client/places.ts";

/** How a view looks in its page. */
export interface MountOptions {
  /** Default: what the page's `color-scheme` says at that element, light if it says nothing. */
  readonly theme?: "light" | "dark" | undefined;
}

/** A picture or finding in a page. */
export interface Mounted {
  /** Once the data are drawn. @throws what went wrong with drawing them */
  readonly ready: Promise<void>;
  /**
   * Draws other data in place of those that are shown. What is selected stays selected where it still exists. Of several calls the last one counts.
   * @throws ArgumentError for what is neither a picture nor a finding, GlassformerError after `destroy()`
   */
  setData(data: Mountable): Promise<void>;
  /** What it shows besides its data, as plain JSON: what is selected and pointed at, and the heads, switches and zoom of its pictures; of graphs what is shown, locked, pinned and in groups. */
  getState(): ViewState;
  /**
   * Shows what a state says; of what it leaves out nothing changes. No listener hears of it, so that two views can each pass on to the other what a user does.
   * @throws UnknownNameError for a picture without a state, ArgumentError for a state of another kind
   */
  setState(state: Partial<ViewState>): void;
  /**
   * Calls a function when a user selects a place, points at one, or changes anything of the state.
   * @returns what ends it
   * @throws UnknownNameError for another event
   */
  on<E extends keyof ViewEvents>(event: E, listener: (value: ViewEvents[E]) => void): () => void;
  /** Removes it from the page, with every listener. */
  destroy(): void;
}

const KINDS: OptionKinds<MountOptions> = { theme: oneOf(["light", "dark"]) };
const STATE_KINDS: OptionKinds<ViewState> = { selected: orNull(OBJECT), pointed: orNull(OBJECT), pictures: OBJECT };
const EVENTS: readonly (keyof ViewEvents)[] = ["select", "hover", "change"];

/**
 * Draws a picture, or a whole finding, into an element of a page, as a report shows it: with tips, keyboard and switches. It is in a shadow root, so that the
 * page's style does not reach it nor its style the page, and needs nothing that a strict content security policy refuses (`default-src 'self'`).
 *
 *     const view = mount(document.querySelector("#here"), attentionHeads(tokens, patterns));
 *     view.on("select", (place) => other.setState({ selected: place })); // { layer: 0, head: 3, pos: 5 }
 *
 * From outside, CSS variables of `.glassformer` change its look: `--rem` (16px, what all sizes are multiples of), `--ink`, `--soft`, `--rule`, `--page`, `--shade`, `--accent`.
 *
 * @param element what gets the view as its last child
 * @param data a picture (`imshow`, `attentionHeads`, …), a picture's `spec`, or a finding; from JSON, too
 * @throws ArgumentError for anything else, GlassformerError where there is no document
 */
export function mount(element: Element, data: Mountable, options: MountOptions = {}): Mounted {
  checkMountable(data);
  checkOptions("mount", options, KINDS);
  if (typeof document === "undefined") {
    throw new GlassformerError(
      "There is no document here to mount anything in: svg(), html() or png() give a picture anywhere.",
    );
  }
  if (!(element instanceof Node && element.nodeType === Node.ELEMENT_NODE)) {
    throw new ArgumentError(`mount takes the element of a page that gets the view, not ${shown(element)}.`, {
      asked: element,
    });
  }
  const host = document.createElement("div");
  host.className = "glassformer";
  if (options.theme) host.style.colorScheme = options.theme;
  element.append(host);
  return mountedIn(host, data, () => host.remove());
}

/** A view whose shadow root is an element's own. @param gone what else ends with it */
export function mountedIn(host: HTMLElement, data: Mountable, gone: () => void = () => {}): Mounted {
  const view = new MountedView(host);
  const setData = async (next: Mountable) => {
    checkMountable(next);
    if (view.destroyed) throw new GlassformerError("This view has been destroyed: mount another one for other data.");
    await view.setData(next);
  };
  return {
    ready: setData(data),
    setData,
    getState: () => view.state,
    setState: (state) => {
      checkOptions("setState", state, STATE_KINDS);
      view.setState(state);
    },
    on: (event, listener) => {
      if (!EVENTS.includes(event)) throw new UnknownNameError("event of a mounted view", `${event}`, EVENTS);
      checkArgument("The listener of on", listener, FUNCTION);
      return view.listen(event, listener);
    },
    destroy: () => {
      view.destroy();
      gone();
    },
  };
}
