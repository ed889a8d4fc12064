/**
 * Attention heads of which one is large. A head or token under the pointer, or with the keyboard focus, is shown; one that is pressed stays
 * selected, and is shown whenever the pointer is on no other, until it is pressed again.
 */
import type { AttentionMetric } from "../../../../finding/picture.ts";
import { ALL_HEADS } from "../../../draw/attention-colors.ts";
import { type Control, type Listener, NOBODY } from "../control.ts";
import { includes, type ViewPlace } from "../places.ts";
import { all, the } from "../root.ts";
import { type Arc, Arcs } from "./arcs.ts";
import { Colors } from "./colors.ts";
import { type AttentionData, dataOf, type StoredAttention, type Switches } from "./data.ts";
import { Gallery } from "./gallery.ts";
import { HeadGrid, setPressed } from "./head-grid.ts";
import { drawHeading } from "./heading.ts";
import { Labels } from "./labels.ts";
import { Plot } from "./plot.ts";
import type { AttentionState } from "./state.ts";
import { TokenStrip } from "./token-strip.ts";
import { Weights } from "./weights.ts";
import { Words } from "./words.ts";

/** What is selected, or pointed at: a head's index and a token's position. */
export interface Focus {
  head: number | null;
  token: number | null;
}

export class AttentionView implements Control<AttentionState> {
  readonly element: HTMLElement;
  readonly data: AttentionData;
  readonly switches: Switches = { first: false, log: false, values: false };
  /** What is selected. */
  readonly keep: Focus = { head: null, token: null };
  readonly seen: Focus = { head: null, token: null };
  /** The cell under the pointer. */
  pointed: readonly [query: number, key: number] | null = null;
  /** Whether tokens show where the chosen one attends to, rather than what attends to it. */
  toSource = true;
  /** What heads are sorted by. */
  sorted: AttentionMetric | null = null;
  readonly weights: Weights;
  readonly colors: Colors;
  readonly words: Words;
  readonly plot: Plot;
  readonly strip: TokenStrip;
  readonly heads: HeadGrid;
  readonly #arcs: Arcs;
  readonly #gallery: Gallery;
  /** Hears what a user does. */
  readonly listener: Listener;
  /** The head that is large while none is selected. */
  #rest: number;
  #drawn: number | null = null;
  #frame = 0;

  constructor(box: HTMLElement, { patterns, norms }: StoredAttention, life: AbortSignal, listener: Listener = NOBODY) {
    this.element = box;
    this.listener = listener;
    this.data = dataOf(box);
    this.#rest = this.data.focus;
    this.weights = new Weights(this.data.tokens.length, patterns, norms, this.switches);
    this.colors = new Colors(box, this.data, this.weights, this.switches);
    this.words = new Words(this.data, this.weights);
    this.plot = new Plot(box, new Labels(this.data.labels), this.weights, this.colors);
    this.strip = new TokenStrip(box, this.colors);
    this.#arcs = new Arcs(box, this.strip.spans);
    this.heads = new HeadGrid(box.querySelector<HTMLElement>(".grid-of-heads"), all(".head", box));
    this.#gallery = new Gallery(box, this.heads, this.weights, this.colors, life);
    life.addEventListener("abort", () => cancelAnimationFrame(this.#frame));
    box.classList.add("moving");
    the(".stage", box).hidden = false;
  }

  /** Draws it for the first time: between its steps a page can do what waits. */
  *start(): Generator<undefined, void> {
    this.colors.renew();
    yield;
    this.plot.layOut();
    yield;
    this.#arcs.layOut();
    this.#gallery.layOut();
    yield;
    this.draw();
    this.#gallery.renew();
  }

  /** Fits everything into the room that there is. */
  layOut(): void {
    this.plot.layOut();
    this.#arcs.layOut();
    this.#gallery.layOut();
    this.draw();
  }

  /** The head that is shown. */
  get head(): number {
    return this.seen.head ?? this.keep.head ?? this.#rest;
  }

  /** The token that is shown. */
  get token(): number | null {
    return this.seen.token ?? this.keep.token;
  }

  /** Draws what has changed, with the next frame: however often the pointer moves until then, once. */
  drawSoon(): void {
    if (this.#frame !== 0) return;
    this.#frame = requestAnimationFrame(() => this.draw());
  }

  /** Draws what has changed. */
  draw(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    const { head, token, toSource } = this;
    if (head !== this.#drawn) drawHeading((this.#drawn = head), this);
    this.plot.draw({ head, token, cell: this.pointed, toSource });
    setText(the(".status", this.element), this.words.status(head, token, toSource));
    const values = this.strip.spans.map((_, pos) => this.tokenValues(token, pos));
    this.strip.draw(head, (pos) => values[pos], token, this.keep.token);
    this.#arcs.draw(token === null ? [] : this.#arcsOf(token, values));
    this.#gallery.fade(token, toSource);
    this.heads.mark(head, this.keep.head);
    all(".direction button", this.element).forEach((button, i) => {
      setPressed(button, toSource === (i === 0));
    });
  }

  get state(): AttentionState {
    const { switches, sorted, toSource, plot, keep } = this;
    return {
      head: this.data.names[keep.head ?? this.#rest] ?? null,
      toSource,
      hideFirst: switches.first,
      logarithmic: switches.log,
      timesValues: switches.values,
      sortBy: sorted?.name ?? null,
      zoom: plot.zoom,
    };
  }

  show(state: Partial<AttentionState>): void {
    const { first, log, values } = this.switches;
    const { hideFirst = first, logarithmic = log, timesValues = values } = state;
    if (state.sortBy !== undefined) this.sort(this.data.metrics.find(({ name }) => name === state.sortBy) ?? null);
    const head = state.head === null ? ALL_HEADS : this.data.names.indexOf(state.head ?? "");
    if (head >= 0 || (state.head === null && this.data.all)) this.#restAt(head);
    this.toSource = state.toSource ?? this.toSource;
    if (state.zoom !== undefined && state.zoom !== this.plot.zoom) this.plot.zoomTo(state.zoom);
    this.turn({ first: hideFirst, log: logarithmic, values: timesValues });
    this.draw();
  }

  select(place: ViewPlace | null): void {
    const head = place ? this.#headAt(place) : -1;
    this.keepHead(head >= 0 ? head : null);
    this.keep.token = this.#tokenAt(place?.pos);
    this.draw();
  }

  point(place: ViewPlace | null): void {
    const head = place ? this.#headAt(place) : -1;
    this.seen.head = head >= 0 ? head : null;
    this.seen.token = this.#tokenAt(place?.pos);
    const [query, key] = [this.#tokenAt(place?.query), this.#tokenAt(place?.key)];
    this.pointed = query !== null && key !== null ? [query, key] : null;
    this.drawSoon();
  }

  /** The place of a head; of all heads, or of one whose name says nothing, none. */
  placeOf(head: number): ViewPlace {
    const [, layer, index] = /^(?:L(\d+))?H(\d+)$/.exec(this.data.names[head] ?? "") ?? [];
    return { ...(layer ? { layer: Number(layer) } : {}), ...(index ? { head: Number(index) } : {}) };
  }

  /** Selects a head, or none. The one that is then large is the tab stop. */
  keepHead(head: number | null): void {
    this.keep.head = head;
    this.heads.makeStop(head ?? this.#rest);
  }

  /** Makes a head large while none is selected, as none is now. */
  #restAt(head: number): void {
    this.#rest = head;
    this.keepHead(null);
  }

  /** Sorts heads by a metric and makes the first large, or sorts them as they were. */
  sort(by: AttentionMetric | null): void {
    this.sorted = by;
    const choice = this.element.querySelector<HTMLSelectElement>(".tools select");
    if (choice) choice.value = by ? String(this.data.metrics.indexOf(by)) : "";
    this.#restAt(this.heads.sort(by) ?? this.keep.head ?? this.#rest);
    this.#gallery.layOut();
  }

  /** Turns switches, and draws what they change. */
  turn(to: Partial<Switches>): void {
    const { first, log, values } = { ...this.switches };
    Object.assign(this.switches, to);
    for (const button of all("[data-switch]", this.element)) {
      button.setAttribute("aria-pressed", String(this.switches[button.dataset.switch as keyof Switches]));
    }
    const weights = first !== this.switches.first || values !== this.switches.values;
    if (weights) this.weights.forget();
    if (weights || log !== this.switches.log) this.renew();
  }

  /** Draws everything: the page's colours or the switches have changed. */
  renew(): void {
    this.colors.renew();
    this.strip.forget();
    this.#gallery.forget();
    this.#drawn = null;
    this.draw();
    this.#gallery.renew();
  }

  /** A token's number in each head that is shown: its weight for the token `pos`, or what it receives. */
  tokenValues(pos: number | null, token: number): number[] {
    const heads = this.head < 0 ? this.weights.heads : [this.head];
    return heads.map((head) => {
      if (pos === null) return this.strip.received(this.weights, head)[token];
      return this.toSource ? this.weights.at(head, pos, token) : this.weights.at(head, token, pos);
    });
  }

  /** A token's tip. */
  tipOf(token: number): string {
    return `${this.words.token(token)}\n${this.words.numbers(this.head, this.tokenValues(this.token, token))}`;
  }

  #headAt(place: ViewPlace): number {
    return this.data.names.findIndex((_, head) => {
      const own = this.placeOf(head);
      return "head" in own && includes(place, own);
    });
  }

  #tokenAt(pos: string | number | undefined): number | null {
    return typeof pos === "number" && pos in this.data.tokens ? pos : null;
  }

  /** The arrows of a token: one for each other token that it attends to, or that attends to it. */
  #arcsOf(token: number, values: readonly (readonly number[])[]): Arc[] {
    return values.map((weights, pos) => ({
      ...(this.toSource ? { from: token, to: pos } : { from: pos, to: token }),
      weight: Math.max(...weights.map((weight) => Math.abs(weight) || 0)),
      color: this.colors.arrow(this.head, weights),
    }));
  }
}

/** Sets a text only where it is another one: what changes is laid out again. */
function setText(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}
