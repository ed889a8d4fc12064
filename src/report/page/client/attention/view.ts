/**
 * Attention heads of which one is large. A head or token under the pointer, or with the keyboard focus, is shown; one that is pressed stays
 * selected, and is shown whenever the pointer is on no other.
 */
import type { AttentionMetric } from "../../../../finding/picture.ts";
import { ALL_HEADS } from "../../../draw/attention-colors.ts";
import { type Control, type Listener, NOBODY } from "../control.ts";
import { includes, type ViewPlace } from "../places.ts";
import { all, the } from "../root.ts";
import { Colors } from "./colors.ts";
import { type AttentionData, type Switches, takeNorms, takePatterns } from "./data.ts";
import { draft } from "./drafts.ts";
import { Labels } from "./labels.ts";
import { Plot } from "./plot.ts";
import { HeadGrid, headOf } from "./sort-heads.ts";
import { TokenStrip } from "./token-strip.ts";
import { Weights } from "./weights.ts";
import { short, Words } from "./words.ts";

/** The side of a thumbnail, in pixels, and how long they are drawn at a time, in milliseconds. */
const THUMB = 64;
const SLICE = 12;

/** What is selected, or pointed at: a head's index and a token's position. */
export interface Focus {
  head: number | null;
  token: number | null;
}

/** What a picture of attention shows, besides the selected token. */
export interface AttentionState {
  /** The name of the head that is large: "L0H3"; `null` for all heads together. */
  readonly head: string | null;
  /** Whether tokens show where the selected one attends to, rather than what attends to it. */
  readonly toSource: boolean;
  /** Whether the first token is left out. */
  readonly hideFirst: boolean;
  readonly logarithmic: boolean;
  /** Whether weights are times the norm of the value that is read. */
  readonly timesValues: boolean;
  /** The metric that heads are sorted by. */
  readonly sortBy: string | null;
  /** How much larger than fits the cells are. */
  readonly zoom: number;
}

export class AttentionView implements Control<AttentionState> {
  readonly element: HTMLElement;
  readonly data: AttentionData;
  readonly switches: Switches = { first: false, log: false, values: false };
  readonly keep: { head: number; token: number | null };
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
  /** Hears what a user does. */
  readonly listener: Listener;
  readonly #life: AbortSignal;
  #drawn: number | null = null;
  #round = 0;

  constructor(box: HTMLElement, life: AbortSignal, listener: Listener = NOBODY) {
    this.element = box;
    this.listener = listener;
    this.#life = life;
    this.data = JSON.parse(box.dataset.attention!);
    this.keep = { head: this.data.focus, token: null };
    this.weights = new Weights(this.data.tokens.length, takePatterns(box), takeNorms(box), this.switches);
    this.colors = new Colors(box, this.data, this.weights, this.switches);
    this.words = new Words(this.data, this.weights);
    this.plot = new Plot(box, new Labels(this.data.labels), this.weights, this.colors);
    this.strip = new TokenStrip(box, this.colors);
    this.heads = new HeadGrid(box.querySelector<HTMLElement>(".grid-of-heads"), all(".head", box));
    box.classList.add("moving");
    the(".stage", box).hidden = false;
    this.colors.renew();
    this.plot.layOut();
    this.draw();
    this.#drawThumbs();
  }

  /** The head that is shown. */
  get head(): number {
    return this.seen.head ?? this.keep.head;
  }

  /** The token that is shown. */
  get token(): number | null {
    return this.seen.token ?? this.keep.token;
  }

  /** Draws what has changed. */
  draw(): void {
    const { head, token, toSource } = this;
    if (head !== this.#drawn) this.#drawHead((this.#drawn = head));
    this.drawPlot();
    the(".status", this.element).textContent = this.words.status(head, token, toSource);
    this.strip.draw(head, (pos) => this.tokenValues(token, pos), token, this.keep.token);
    for (const button of this.heads.buttons) {
      const own = headOf(button);
      button.classList.toggle("on", own === head);
      button.setAttribute("aria-pressed", String(own === this.keep.head));
    }
    all(".direction button", this.element).forEach((button, i) => {
      button.setAttribute("aria-pressed", String(toSource === (i === 0)));
    });
  }

  get state(): AttentionState {
    const { switches, sorted, toSource, plot, keep } = this;
    return {
      head: this.data.names[keep.head] ?? null,
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
    if (head >= 0 || (state.head === null && this.data.all)) this.keepHead(head);
    this.toSource = state.toSource ?? this.toSource;
    if (state.zoom !== undefined && state.zoom !== this.plot.zoom) this.plot.zoomTo(state.zoom);
    this.turn({ first: hideFirst, log: logarithmic, values: timesValues });
    this.draw();
  }

  select(place: ViewPlace | null): void {
    const head = place ? this.#headAt(place) : -1;
    if (head >= 0) this.keepHead(head);
    this.keep.token = this.#tokenAt(place?.pos);
    this.draw();
  }

  point(place: ViewPlace | null): void {
    const head = place ? this.#headAt(place) : -1;
    this.seen.head = head >= 0 ? head : null;
    this.seen.token = this.#tokenAt(place?.pos);
    const [query, key] = [this.#tokenAt(place?.query), this.#tokenAt(place?.key)];
    this.pointed = query !== null && key !== null ? [query, key] : null;
    this.draw();
  }

  /** The place of a head; of all heads, or of one whose name says nothing, none. */
  placeOf(head: number): ViewPlace {
    const [, layer, index] = /^(?:L(\d+))?H(\d+)$/.exec(this.data.names[head] ?? "") ?? [];
    return { ...(layer ? { layer: Number(layer) } : {}), ...(index ? { head: Number(index) } : {}) };
  }

  /** Selects a head, which is then the tab stop. */
  keepHead(head: number): void {
    this.keep.head = head;
    this.heads.makeStop(head);
  }

  /** Sorts heads by a metric and selects the first, or sorts them as they were. */
  sort(by: AttentionMetric | null): void {
    this.sorted = by;
    const choice = this.element.querySelector<HTMLSelectElement>(".tools select");
    if (choice) choice.value = by ? String(this.data.metrics.indexOf(by)) : "";
    this.keepHead(this.heads.sort(by) ?? this.keep.head);
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

  /** Draws the large view. */
  drawPlot(): void {
    const { head, token, pointed, toSource } = this;
    this.plot.draw({ head, token, cell: pointed, toSource });
  }

  /** Draws everything: the page's colours or the switches have changed. */
  renew(): void {
    this.colors.renew();
    this.strip.forget();
    this.#drawn = null;
    this.draw();
    this.#drawThumbs();
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

  #drawHead(head: number): void {
    const { element: box, data, switches, colors, words } = this;
    the(".view .heading", box).textContent = words.heading(head, this.sorted ?? data.metrics[0]);
    the(".facts", box).textContent = head < 0 ? "" : words.facts(head);
    const [label, ...ends] = all(".ramp span, .ramp output", box);
    label.textContent = data.label + (switches.values ? " × |value|" : "") + (switches.log ? ", logarithmic" : "");
    const { low, high, more } = colors.ends(head);
    [short(low), `${more ? "≥ " : ""}${short(high)}`].forEach((end, i) => {
      ends[i].textContent = end;
    });
    const stops = Array.from({ length: 11 }, (_, tenth) => colors.stop(head, tenth));
    the(".ramp i", box).style.background = `linear-gradient(90deg,${stops.join(",")})`;
  }

  /** Thumbnails are drawn a few at a time, so that the page can be used meanwhile. */
  #drawThumbs(): void {
    const mine = ++this.#round;
    const waiting = [...this.heads.buttons];
    const current = () => this.#round === mine && !this.#life.aborted;
    const some = () => {
      for (const until = performance.now() + SLICE; waiting.length > 0 && current() && performance.now() < until; ) {
        const button = waiting.shift()!;
        const side = Math.min(this.weights.tokens, THUMB);
        draft(the<HTMLCanvasElement>("canvas", button), headOf(button), side, this.weights, this.colors);
      }
      if (!current()) return;
      if (waiting.length > 0) requestAnimationFrame(some);
      else this.element.dataset.drawn = String(mine);
    };
    some();
  }
}
