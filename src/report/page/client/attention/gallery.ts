/** All heads as thumbnails: drawn a few at a time, and faded as far as their heads have nothing to do with the token that is shown. */
import type { Colors } from "./colors.ts";
import { draft } from "./drafts.ts";
import { type HeadGrid, headOf } from "./head-grid.ts";
import { Involvement } from "./involvement.ts";
import { Thumbs } from "./thumbs.ts";
import type { Weights } from "./weights.ts";

/** The largest side of a thumbnail, in pixels, and how long they are drawn at a time, in milliseconds. */
const THUMB = 64;
const SLICE = 12;
/** With up to this many tokens a thumbnail's cells have edges. */
const FEW = 40;

export class Gallery {
  readonly #box: HTMLElement;
  readonly #heads: HeadGrid;
  readonly #weights: Weights;
  readonly #colors: Colors;
  readonly #life: AbortSignal;
  readonly #thumbs: Thumbs;
  readonly #involvement: Involvement;
  /** The token that they are faded for, and its direction. */
  #shown: readonly [token: number | null, toSource: boolean] = [null, true];
  /** What they are faded for as they are drawn now. */
  #faded = "";
  #round = 0;

  constructor(box: HTMLElement, heads: HeadGrid, weights: Weights, colors: Colors, life: AbortSignal) {
    this.#box = box;
    this.#heads = heads;
    this.#weights = weights;
    this.#colors = colors;
    this.#life = life;
    this.#thumbs = new Thumbs(heads.grid, Math.min(weights.tokens, THUMB), weights.tokens > FEW);
    this.#involvement = new Involvement(weights);
  }

  /** Fits them into the room that there is. They are drawn when they are faded next. */
  layOut(): void {
    this.#thumbs.layOut();
    this.#faded = "";
  }

  /** The weights have changed. */
  forget(): void {
    this.#involvement.forget();
  }

  /** Fades them for a token. */
  fade(token: number | null, toSource: boolean): void {
    this.#shown = [token, toSource];
    const key = `${token} ${toSource}`;
    if (key === this.#faded) return;
    this.#faded = key;
    this.#thumbs.draw(this.#involvement.of(token, toSource));
  }

  /** Draws all again, a few at a time, so that the page can be used meanwhile. */
  renew(): void {
    const mine = ++this.#round;
    const waiting = this.#heads.buttons.map(headOf);
    const current = () => this.#round === mine && !this.#life.aborted;
    const some = () => {
      for (const until = performance.now() + SLICE; waiting.length > 0 && current() && performance.now() < until; ) {
        const head = waiting.shift()!;
        this.#thumbs.put(head, draft(head, this.#thumbs.side, this.#weights, this.#colors));
        if (head >= 0) this.#involvement.add(head);
      }
      if (!current()) return;
      this.#faded = "";
      this.fade(...this.#shown);
      if (waiting.length > 0) requestAnimationFrame(some);
      else this.#box.dataset.drawn = String(mine);
    };
    requestAnimationFrame(some);
  }
}
