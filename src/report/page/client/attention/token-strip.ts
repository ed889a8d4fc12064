/** The tokens as text, coloured by what the chosen one attends to, or by what each receives. */
import { all } from "../root.ts";
import type { Colors, Paint } from "./colors.ts";
import type { Weights } from "./weights.ts";

export class TokenStrip {
  readonly spans: readonly HTMLElement[];
  readonly #colors: Colors;
  readonly #received = new Map<number, Float64Array>();
  readonly #looks: (string | undefined)[] = [];
  #on: HTMLElement | undefined;
  #pressed: HTMLElement | undefined;

  constructor(box: HTMLElement, colors: Colors) {
    this.spans = all(".tokens .token", box);
    this.#colors = colors;
  }

  /** The weights or the page's colours have changed. */
  forget(): void {
    this.#received.clear();
    this.#looks.length = 0;
  }

  /** What each token receives from a head, on average over the queries that see it. */
  received(weights: Weights, head: number): Float64Array {
    const there = this.#received.get(head);
    if (there) return there;
    const n = weights.tokens;
    const sums = new Float64Array(n);
    const some = weights.of(head);
    for (let query = 0; query < n; query++) {
      for (let key = 0; key < n; key++) sums[key] += some[query * n + key] || 0;
    }
    const means = sums.map((sum, key) => sum / (n - (weights.causal ? key : 0)));
    this.#received.set(head, means);
    return means;
  }

  /** Colours the tokens by their numbers, and marks the one that is shown and the one that is selected. */
  draw(head: number, values: (pos: number) => readonly number[], on: number | null, pressed: number | null): void {
    this.spans.forEach((span, pos) => {
      const paint = this.#colors.paint(head, values(pos));
      const look = paint?.color ?? "";
      if (this.#looks[pos] === look) return;
      this.#looks[pos] = look;
      colour(span, paint);
    });
    this.#on?.classList.remove("on");
    this.#on = on === null ? undefined : this.spans[on];
    this.#on?.classList.add("on");
    this.#pressed?.setAttribute("aria-pressed", "false");
    this.#pressed = pressed === null ? undefined : this.spans[pressed];
    this.#pressed?.setAttribute("aria-pressed", "true");
  }
}

function colour(span: HTMLElement, paint: Paint | undefined): void {
  span.style.backgroundColor = paint?.color ?? "";
  span.style.color = paint?.ink ?? "";
}
