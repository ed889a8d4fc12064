/** How much each head has to do with a token: the largest |weight| by which it attends to others, or others attend to it. */
import type { Weights } from "./weights.ts";

interface Largest {
  readonly asQuery: Float32Array;
  readonly asKey: Float32Array;
}

export class Involvement {
  readonly #weights: Weights;
  readonly #heads = new Map<number, Largest>();

  constructor(weights: Weights) {
    this.#weights = weights;
  }

  /** The weights have changed. */
  forget(): void {
    this.#heads.clear();
  }

  /** Reads a head's weights. Until then it counts as fully involved. */
  add(head: number): void {
    const n = this.#weights.tokens;
    const weights = this.#weights.of(head);
    const [asQuery, asKey] = [new Float32Array(n), new Float32Array(n)];
    for (let query = 0, at = 0; query < n; query++) {
      for (let key = 0; key < n; key++, at++) {
        const weight = Math.abs(weights[at]) || 0;
        if (weight > asQuery[query]) asQuery[query] = weight;
        if (weight > asKey[key]) asKey[key] = weight;
      }
    }
    this.#heads.set(head, { asQuery, asKey });
  }

  /** The part of the most involved head's weight that each head has, 0 to 1; 1 if there is no token. */
  of(token: number | null, toSource: boolean): (head: number) => number {
    if (token === null) return () => 1;
    const at = ({ asQuery, asKey }: Largest) => (toSource ? asQuery : asKey)[token];
    let most = 0;
    for (const largest of this.#heads.values()) most = Math.max(most, at(largest));
    return (head) => {
      const own = this.#heads.get(head);
      return own && most > 0 ? at(own) / most : 1;
    };
  }
}
