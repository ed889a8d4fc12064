/**
 * A picture that is brought to life when it comes near what is in sight, or the page has been at rest for a while. Until then it is as it is drawn
 * first; what a user or program changes of it brings it to life immediately.
 */
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
  readonly #make: () => Drawn<State>;
  readonly #ended = new AbortController();
  #made: Drawn<State> | undefined;

  /** @param first the state that it has when it is made @param life until when it may be made */
  constructor(element: HTMLElement, first: State, make: () => Drawn<State>, life: AbortSignal) {
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
    const rested = setTimeout(() => this.#now(), REST);
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
    this.#made?.renew();
  }

  #now(): Drawn<State> {
    this.#ended.abort();
    this.#made ??= this.#make();
    return this.#made;
  }
}

/** Whether an element is near what is in sight, or has no place. */
function isNear(element: HTMLElement): boolean {
  const { top, bottom } = element.getBoundingClientRect();
  return top < (1 + NEAR) * innerHeight && bottom > -NEAR * innerHeight;
}
