/**
 * A picture that is brought to life when it comes near what is in sight, or, in turns, when the page has been at rest for a while. Until then it is
 * as it is drawn first; what a user or program changes of it brings it to life immediately.
 */
import { pause } from "../../engine/pause.ts";
import type { Control } from "../page/client/control.ts";
import type { ViewPlace } from "../page/client/places.ts";

/** How near: this part of the height of what is in sight, above and below. */
const NEAR = 0.5;
/** How long after it was shown it is brought to life anyway, in ms: by then other things of a page are there. */
const REST = 1000;

/** A picture that can be drawn in other colours. */
export interface Drawn<State extends object> extends Control<State> {
  /** Draws everything: the page's colours have changed. */
  readonly renew: () => void;
}

export class LaterControl<State extends object> implements Drawn<State> {
  readonly element: HTMLElement;
  readonly #first: State;
  readonly #make: () => Generator<undefined, Drawn<State>>;
  readonly #ended = new AbortController();
  #steps: Generator<undefined, Drawn<State>> | undefined;
  #made: Drawn<State> | undefined;

  /** @param first the state that it has when it is made @param make in steps @param life until when it may be made */
  constructor(element: HTMLElement, first: State, make: () => Generator<undefined, Drawn<State>>, life: AbortSignal) {
    this.element = element;
    this.#first = first;
    this.#make = make;
    if (isNear(element)) {
      this.#now();
      return;
    }
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some(({ isIntersecting }) => isIntersecting)) this.#now();
      },
      { rootMargin: `${100 * NEAR}% 0px` },
    );
    observer.observe(element);
    const rested = setTimeout(() => void this.#inTurns(), REST);
    this.#ended.signal.addEventListener("abort", () => {
      observer.disconnect();
      clearTimeout(rested);
    });
    life.addEventListener("abort", () => this.#ended.abort());
  }

  get state(): State {
    return this.#made?.state ?? this.#first;
  }

  show(state: Partial<State>): void {
    const isOther = Object.entries(state).some(([key, value]) => value !== this.#first[key as keyof State]);
    if (this.#made || isOther) this.#now().show(state);
  }

  select(place: ViewPlace | null): void {
    if (this.#made || place) this.#now().select(place);
  }

  point(place: ViewPlace | null): void {
    if (this.#made || place) this.#now().point(place);
  }

  renew(): void {
    if (this.#steps) this.#now().renew();
  }

  #now(): Drawn<State> {
    this.#ended.abort();
    while (!this.#made) this.#step();
    return this.#made;
  }

  async #inTurns(): Promise<void> {
    while (!this.#ended.signal.aborted) {
      this.#step();
      if (this.#made) this.#ended.abort();
      else await pause();
    }
  }

  #step(): void {
    this.#steps ??= this.#make();
    const { done, value } = this.#steps.next();
    if (done) this.#made = value;
  }
}

/** Whether an element is near what is in sight, or has no place. */
function isNear(element: HTMLElement): boolean {
  const { top, bottom } = element.getBoundingClientRect();
  return top < (1 + NEAR) * innerHeight && bottom > -NEAR * innerHeight;
}
