/** What a picture of attention says in words. */
import type { AttentionMetric } from "../../../../finding/picture.ts";
import type { AttentionData } from "./data.ts";
import type { Weights } from "./weights.ts";

export class Words {
  readonly #data: AttentionData;
  readonly #weights: Weights;

  constructor(data: AttentionData, weights: Weights) {
    this.#data = data;
    this.#weights = weights;
  }

  /** “token” (position) */
  token(pos: number): string {
    return `“${this.#data.tokens[pos]}” (${pos})`;
  }

  /** The numbers of a head, or of all heads the three largest. */
  numbers(head: number, numbers: readonly number[]): string {
    const { names } = this.#data;
    const line = (one: number, value: number) => `${names[one]}: ${this.#rounded(one, value)}`;
    if (head >= 0) return line(head, numbers[0]);
    const order = [...numbers.keys()].sort((i, j) => Math.abs(numbers[j]) - Math.abs(numbers[i])).slice(0, 3);
    return order.map((one) => line(one, numbers[one])).join("\n") + (names.length > 3 ? "\n…" : "");
  }

  /** A head's metrics, and what of its attention is drawn as means. */
  facts(head: number): string {
    const left = this.#data.left[head];
    const means = left >= 0.0005 ? [`${Number((100 * left).toPrecision(2))} % of its attention drawn as means`] : [];
    return [...this.metrics(head), ...means].join(" · ");
  }

  /** A head's metrics, one by one. */
  metrics(head: number): string[] {
    return this.#data.metrics.map(({ name, unit, values }) => {
      return `${name} ${short(twoDigits(values[head]))}${unit ? ` ${unit}` : ""}`;
    });
  }

  /** A head's name and, if it is the first by a metric of many heads, that. */
  heading(head: number, by: AttentionMetric | undefined): string {
    const { names, all } = this.#data;
    if (head < 0) return all;
    const best = by && (by.lowestFirst ? Math.min : Math.max)(...by.values);
    if (!by || names.length <= 8 || by.values[head] !== best) return names[head];
    return `${names[head]}, the ${by.lowestFirst ? "lowest" : "highest"} of ${names.length} heads in ${by.name}`;
  }

  /** What the tokens' colours show. */
  status(head: number, pos: number | null, toSource: boolean): string {
    const who = head < 0 ? "All heads" : this.#data.names[head];
    if (pos === null) {
      return `${who}: what each token receives, on average over the queries${this.#weights.causal ? " that see it" : ""}`;
    }
    return toSource ? `${who}: where ${this.token(pos)} attends to` : `${who}: what attends to ${this.token(pos)}`;
  }

  #rounded(head: number, value: number): string {
    const inexact = this.#data.left[head] || this.#weights.isPacked(head);
    return inexact ? `≈ ${twoDigits(value)}` : short(value);
  }
}

/** A number in three digits. */
export function short(value: number): string {
  const usual = !value || Math.abs(value) >= 0.0005;
  return (usual ? String(Number(value.toPrecision(3))) : value.toExponential(1)).replace("-", "−");
}

/** A number rounded to two digits. */
export function twoDigits(value: number): number {
  return Number(value.toPrecision(2));
}
