/** A picture or a finding in an element of a page, in a shadow root: neither changes how the other looks or what it does. */
import { pause } from "../../engine/pause.ts";
import { UnknownNameError } from "../../tensor/errors.ts";
import { anchors } from "../page/client/anchors.ts";
import { arrows } from "../page/client/arrows.ts";
import { dataOf } from "../page/client/attention/data.ts";
import { firstState } from "../page/client/attention/state.ts";
import { attentionBoxes, attentionView } from "../page/client/attention.ts";
import { imagesToCanvases } from "../page/client/canvas-images.ts";
import { charts } from "../page/client/charts.ts";
import type { Control, Listener } from "../page/client/control.ts";
import { includes, Lights, moved, samePlace, type ViewPlace, without } from "../page/client/places.ts";
import { all, on, REDRAWN } from "../page/client/root.ts";
import { scrolling } from "../page/client/scrolling.ts";
import { selecting } from "../page/client/selecting.ts";
import { sorting } from "../page/client/sorting.ts";
import { onTheme } from "../page/client/theme.ts";
import { tips, titles } from "../page/client/tips.ts";
import { GROUND } from "../page/mounted-style.ts";
import { FOLDED } from "../page/needs.ts";
import { become, takeAttributes } from "./become.ts";
import { type ChangedPictures, changedPictures, turning } from "./changed.ts";
import { type Content, contentOf, type Mountable, STYLE_ATTRIBUTE } from "./content.ts";
import { type Drawn, LaterControl } from "./later-control.ts";
import type { ViewEvents, ViewState } from "./state.ts";

/** What every view does, whatever it shows. Tips come first: others take their words from them. */
const BEHAVIOURS = [tips, arrows, scrolling, sorting, anchors, charts];

/** What is brought to life by code that is loaded where it is needed. */
const HAVE_MORE = ["pixels", "activations", "graph"];

/** How long parts of a finding are put into their places at a time, in ms. */
const SLICE = 4;

/** What a view is made to show: of each picture, all of its state or some. */
type Applied = Partial<Omit<ViewState, "pictures">> & { readonly pictures?: Readonly<Record<string, object>> };

type Listeners = { readonly [E in keyof ViewEvents]: Set<(value: ViewEvents[E]) => void> };

export class MountedView {
  readonly host: HTMLElement;
  readonly #root: ShadowRoot;
  readonly #light = new CSSStyleSheet();
  readonly #dark = new CSSStyleSheet({ media: "screen" });
  /** Shows what the page is like there. */
  readonly #ground = document.createElement("i");
  readonly #inside = document.createElement("div");
  readonly #lit: Lights;
  readonly #chosen: Lights;
  readonly #listeners: Listeners = { select: new Set(), hover: new Set(), change: new Set() };
  readonly #life = new AbortController();
  /** Of what is shown now. */
  #content = new AbortController();
  #controls = new Map<string, Control>();
  /** The pictures as they were drawn first. */
  #first: ViewState["pictures"] = {};
  #selected: ViewPlace | null = null;
  #pointed: ViewPlace | null = null;
  #style: Content["style"] | undefined;
  /** How often data have been set: only the last are shown. */
  #version = 0;

  constructor(host: HTMLElement) {
    this.host = host;
    this.#root = host.shadowRoot ?? host.attachShadow({ mode: "open" });
    this.#root.adoptedStyleSheets = [this.#light, this.#dark];
    this.#lit = new Lights(this.#root, "lit");
    this.#chosen = new Lights(this.#root, "chosen");
    const turn = (dark: boolean) => {
      this.#dark.disabled = !dark;
      for (const control of this.#controls.values()) (control as Partial<Drawn<object>>).renew?.();
    };
    this.#ground.id = "ground";
    this.#inside.id = "view";
    this.#root.replaceChildren(this.#ground, this.#inside);
    this.#light.replaceSync(GROUND);
    onTheme(this.#ground, host, turn, this.#life.signal);
  }

  get destroyed(): boolean {
    return this.#life.signal.aborted;
  }

  /**
   * Draws other data. What is selected stays so where it still exists. What is being drawn goes on until later data are there to take its place.
   * @param rest what the parts below the window wait for, if they are the first
   */
  async setData(given: Mountable, rest?: Promise<unknown>): Promise<void> {
    const mine = ++this.#version;
    const content = await contentOf(given);
    await pause();
    const fragment = fragmentOf(content.html);
    await imagesToCanvases(fragment);
    await pause();
    if (mine !== this.#version || this.destroyed) return;
    this.#content.abort();
    this.#content = new AbortController();
    const { signal: life } = this.#content;
    this.#setStyle(content.style);
    await this.#put(fragment, life, rest);
    if (life.aborted) return;
    this.#enliven(content);
    await pause();
    if (life.aborted) return;
    const controls = await this.#madeControls(content);
    if (life.aborted) return;
    const before = this.state;
    this.#controls = new Map(controls.map((control) => [nameOf(control), control]));
    this.#first = this.state.pictures;
    this.#apply({ ...before, pointed: null });
  }

  get state(): ViewState {
    const pictures = [...this.#controls].map(([name, { state }]) => [name, state]);
    return { selected: this.#selected, pointed: this.#pointed, pictures: Object.fromEntries(pictures) };
  }

  /** What of its pictures is not as it is drawn first: heads, switches, zoom. */
  get changed(): ChangedPictures {
    return changedPictures(this.#first, this.state.pictures);
  }

  /** Shows the pictures as they are drawn first but for what is changed, and the place that is selected. */
  showChanged(selected: ViewPlace | null, changed: ChangedPictures): void {
    const now = this.changed;
    if (samePlace(selected, this.#selected) && JSON.stringify(changed) === JSON.stringify(now)) return;
    this.#apply({ selected, pictures: turning(this.#first, now, changed) });
  }

  /** @throws UnknownNameError for a picture that has no state, or does not exist */
  setState(state: Partial<ViewState>): void {
    for (const name of Object.keys(state.pictures ?? {})) {
      if (!this.#controls.has(name))
        throw new UnknownNameError("picture with a state", name, [...this.#controls.keys()]);
    }
    this.#apply(state);
  }

  listen<E extends keyof ViewEvents>(event: E, act: (value: ViewEvents[E]) => void): () => void {
    const listeners: Set<(value: ViewEvents[E]) => void> = this.#listeners[event];
    listeners.add(act);
    return () => listeners.delete(act);
  }

  destroy(): void {
    this.#life.abort();
    this.#content.abort();
    this.#controls.clear();
    this.#root.replaceChildren();
    this.#root.adoptedStyleSheets = [];
    for (const listeners of Object.values(this.#listeners)) listeners.clear();
  }

  /** Rules that stay the same are not set: all that is shown would be styled again. */
  #setStyle({ light, dark }: Content["style"]): void {
    if (light !== this.#style?.light) this.#light.replaceSync(light);
    if (dark !== this.#style?.dark) this.#dark.replaceSync(dark);
    this.#style = { light, dark };
  }

  /**
   * Puts what is drawn into its place, until `life` ends: the parts of a finding in turns. Where they take the place of others, those down to
   * the end of the window are put there in one turn, so that nobody sees a part of one finding above a part of another.
   */
  async #put(fragment: DocumentFragment, life: AbortSignal, rest?: Promise<unknown>): Promise<void> {
    const next = articleIn(fragment);
    const parts = next ? [...next.children] : [];
    const shown = next && articleIn(this.#inside);
    const old = shown ? [...shown.children] : [];
    if (shown) {
      takeAttributes(shown, next);
      for (const part of old.slice(parts.length)) part.remove();
    } else {
      for (const part of parts) part.remove();
      this.#inside.replaceChildren(fragment);
    }
    let until = performance.now() + SLICE;
    for (const [i, part] of parts.entries()) {
      if (i >= old.length) (shown ?? next!).append(part);
      const { top, bottom } = (i < old.length ? become(old[i], part) : part).getBoundingClientRect(); // lays it out now, and not all of them together
      if (!shown && bottom > innerHeight) await rest;
      if (performance.now() < until || (shown && top < innerHeight)) continue;
      await pause();
      if (life.aborted) return;
      until = performance.now() + SLICE;
    }
  }

  #enliven(content: Content): void {
    const life = this.#content.signal;
    for (const lights of [this.#lit, this.#chosen]) lights.forget();
    for (const behaviour of BEHAVIOURS) behaviour(this.#root, life);
    const point = (place: ViewPlace | null, element?: HTMLElement) => this.#hover(place, element);
    const press = (place: ViewPlace) => {
      const again = includes(this.#selected, place);
      this.#select(again ? without(this.#selected, Object.keys(place)) : moved(this.#selected, place));
    };
    selecting(this.#root, { point, press, release: () => this.#select(null) }, life);
    const redrawn = () => {
      for (const lights of [this.#lit, this.#chosen]) lights.forget();
      this.#chosen.show(this.#selected);
    };
    this.#root.addEventListener(REDRAWN, redrawn, { signal: life });
    on(this.#root, "toggle", ({ target }) => this.#unfold(target as HTMLElement, content, life), life, {
      capture: true,
    });
  }

  /** Brings pictures to life that have controls of their own, or cells without elements. */
  async #madeControls({ attention, features }: Content): Promise<Control[]> {
    const life = this.#content.signal;
    const listener: Listener = {
      hover: (place) => this.#hover(place && Object.keys(place).length > 0 ? place : null),
      select: (place, released = []) => this.#select(without(moved(this.#selected, place), released)),
      change: () => this.#report("change", this.state),
    };
    const heads = attentionBoxes(this.#root).map((box) => {
      const make = () => attentionView(box, attention[Number(box.dataset.stored)], life, listener);
      return new LaterControl(box, firstState(dataOf(box)), make, life);
    });
    if ([...features].every(({ name }) => !HAVE_MORE.includes(name))) return heads;
    const others = (await import("./other-controls.ts")).otherControls(this.#root, life, listener);
    return [...heads, ...others];
  }

  /** Makes what has been folded until now. */
  #unfold(details: HTMLElement, { folded }: Content, life: AbortSignal): void {
    const places = all(`[${FOLDED}]`, details);
    for (const place of places) {
      const fragment = fragmentOf(folded[Number(place.getAttribute(FOLDED))]());
      for (const behaviour of [titles, scrolling, sorting]) behaviour(fragment, life);
      place.replaceWith(fragment);
    }
    if (places.length > 0) details.dispatchEvent(new Event(REDRAWN, { bubbles: true }));
  }

  #hover(place: ViewPlace | null, element?: HTMLElement): void {
    if (samePlace(place, this.#pointed)) return;
    this.#pointed = place;
    this.#lit.show(place, element);
    this.#report("hover", place);
  }

  #select(place: ViewPlace | null): void {
    if (samePlace(place, this.#selected)) return;
    this.#selected = place;
    this.#chosen.show(place);
    for (const control of this.#controls.values()) control.select(place);
    this.#report("select", place);
    this.#report("change", this.state);
  }

  #apply({ selected, pointed, pictures = {} }: Applied): void {
    for (const [name, state] of Object.entries(pictures)) this.#controls.get(name)?.show(state);
    if (selected !== undefined) {
      this.#selected = selected;
      this.#chosen.show(selected);
      for (const control of this.#controls.values()) control.select(selected);
    }
    if (pointed === undefined || samePlace(pointed, this.#pointed)) return;
    this.#pointed = pointed;
    this.#lit.show(pointed);
    for (const control of this.#controls.values()) control.point(pointed);
  }

  #report<E extends keyof ViewEvents>(event: E, value: ViewEvents[E]): void {
    for (const act of [...this.#listeners[event]] as ((value: ViewEvents[E]) => void)[]) act(value);
  }
}

/** The element of a finding, if that is all there is. */
function articleIn({ children }: ParentNode): Element | undefined {
  return children.length === 1 && children[0].localName === "article" ? children[0] : undefined;
}

/** The content's elements, with their styles set as a script may. */
function fragmentOf(html: string): DocumentFragment {
  const template = document.createElement("template");
  template.innerHTML = html;
  for (const element of all<HTMLElement | SVGElement>(`[${STYLE_ATTRIBUTE}]`, template.content)) {
    element.style.cssText = element.getAttribute(STYLE_ATTRIBUTE)!;
    element.removeAttribute(STYLE_ATTRIBUTE);
  }
  return template.content;
}

/** The name of the picture that a control is in. */
function nameOf({ element }: Control): string {
  return element.closest<HTMLElement>("figure")!.dataset.name!;
}
