/** The weights of many heads. A head's are read when they are drawn, and a few are held: all of them would be hundreds of megabytes. */
import { denseWeights, walkPacked } from "../../../../finding/attention-weights.ts";
import { floatsOf, type StoredPattern, type Switches } from "./data.ts";

/** How many heads' weights are held: at least so many, and more if they are few numbers together. */
const HELD = 9;
const HELD_NUMBERS = 4_000_000;

export class Weights {
  readonly tokens: number;
  readonly heads: readonly number[];
  /** Whether no query has weight on later keys. */
  readonly causal: boolean;
  readonly #patterns: readonly StoredPattern[];
  readonly #norms: readonly Float32Array[];
  readonly #switches: Readonly<Switches>;
  readonly #held = new Map<number, Float32Array>();
  readonly #largest = new Map<number, number>();

  constructor(
    tokens: number,
    patterns: readonly StoredPattern[],
    norms: readonly Float32Array[],
    switches: Readonly<Switches>,
  ) {
    this.tokens = tokens;
    this.heads = [...patterns.keys()];
    this.#patterns = patterns;
    this.#norms = norms;
    this.#switches = switches;
    this.causal = this.heads.every((head) => this.#isCausal(head));
  }

  /** A head's weights, `[query · tokens + key]`. */
  of(head: number): Float32Array {
    const there = this.#held.get(head);
    if (there) return there;
    const found = this.#read(head);
    if (this.#held.size >= Math.max(HELD, HELD_NUMBERS / this.tokens ** 2))
      this.#held.delete(this.#held.keys().next().value!); // the oldest
    this.#held.set(head, found);
    return found;
  }

  /** One weight; 0 for a gap. */
  at(head: number, query: number, key: number): number {
    return this.of(head)[query * this.tokens + key] || 0;
  }

  /** Whether a head's weights are rounded. */
  isPacked(head: number): boolean {
    return typeof this.#patterns[head] !== "string";
  }

  /** Reads weights again: the switches have changed. */
  forget(): void {
    this.#held.clear();
    this.#largest.clear();
  }

  /** The largest |weight| of a head as it is shown, without reading all of them where they are packed. */
  largest(head: number): number {
    const found = this.#largest.get(head) ?? this.#findLargest(head);
    this.#largest.set(head, found);
    return found;
  }

  #findLargest(head: number): number {
    const pattern = this.#patterns[head];
    let most = 0;
    if (typeof pattern === "string") {
      for (const weight of this.of(head)) most = Math.max(most, Math.abs(weight) || 0);
      return most;
    }
    const { first, values } = this.#switches;
    const norms = values ? this.#norms[head] : undefined;
    walkPacked(pattern, this.tokens, (_, from, to, weight) => {
      if (!norms) {
        if (weight > most && (to > 1 || !first)) most = weight;
        return;
      }
      for (let key = Math.max(from, Number(first)); key < to; key++) most = Math.max(most, weight * norms[key]);
    });
    return most;
  }

  #read(head: number): Float32Array {
    const pattern = this.#patterns[head];
    const { tokens } = this;
    const found = typeof pattern === "string" ? floatsOf(pattern) : denseWeights(pattern, tokens);
    const norms = this.#switches.values ? this.#norms[head] : undefined;
    for (let query = 0, at = 0; norms && query < tokens; query++) {
      for (let key = 0; key < tokens; key++, at++) found[at] *= norms[key];
    }
    for (let query = 0; this.#switches.first && query < tokens; query++) found[query * tokens] = 0;
    return found;
  }

  #isCausal(head: number): boolean {
    const pattern = this.#patterns[head];
    if (typeof pattern !== "string") return pattern.causal;
    const some = this.of(head);
    for (let query = 0; query < this.tokens; query++) {
      for (let key = query + 1; key < this.tokens; key++) if (some[query * this.tokens + key]) return false;
    }
    return true;
  }
}
