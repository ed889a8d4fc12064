/**
 * Attention heads of which one is large. A head or token under the pointer, or with the keyboard focus, is shown; one that is pressed stays
 * selected, and is shown whenever the pointer is on no other.
 */
import type { AttentionMetric } from "../../../../finding/picture.ts";
import { all, the } from "../root.ts";
import { Colors } from "./colors.ts";
import { type AttentionData, type Switches, takeNorms, takePatterns } from "./data.ts";
import { draft } from "./drafts.ts";
import { Labels } from "./labels.ts";
import { Plot } from "./plot.ts";
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

export class AttentionView {
  readonly box: HTMLElement;
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
  readonly buttons: readonly HTMLElement[];
  readonly #life: AbortSignal;
  #drawn: number | null = null;
  #round = 0;

  constructor(box: HTMLElement, life: AbortSignal) {
    this.box = box;
    this.#life = life;
    this.data = JSON.parse(box.dataset.attention!);
    this.keep = { head: this.data.focus, token: null };
    this.weights = new Weights(this.data.tokens.length, takePatterns(box), takeNorms(box), this.switches);
    this.colors = new Colors(box, this.data, this.weights, this.switches);
    this.words = new Words(this.data, this.weights);
    this.plot = new Plot(box, new Labels(this.data.labels), this.weights, this.colors);
    this.strip = new TokenStrip(box, this.colors);
    this.buttons = all(".head", box);
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
    the(".status", this.box).textContent = this.words.status(head, token, toSource);
    this.strip.draw(head, (pos) => this.tokenValues(token, pos), token, this.keep.token);
    for (const button of this.buttons) {
      const own = Number(button.dataset.head);
      button.classList.toggle("on", own === head);
      button.setAttribute("aria-pressed", String(own === this.keep.head));
    }
    all(".direction button", this.box).forEach((button, i) => {
      button.setAttribute("aria-pressed", String(toSource === (i === 0)));
    });
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

  #drawHead(head: number): void {
    const { box, data, switches, colors, words } = this;
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
    const waiting = [...this.buttons];
    const current = () => this.#round === mine && !this.#life.aborted;
    const some = () => {
      for (const until = performance.now() + SLICE; waiting.length > 0 && current() && performance.now() < until; ) {
        const button = waiting.shift()!;
        const side = Math.min(this.weights.tokens, THUMB);
        draft(the<HTMLCanvasElement>("canvas", button), Number(button.dataset.head), side, this.weights, this.colors);
      }
      if (!current()) return;
      if (waiting.length > 0) requestAnimationFrame(some);
      else this.box.dataset.drawn = String(mine);
    };
    some();
  }
}
