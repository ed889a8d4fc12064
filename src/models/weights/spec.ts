/** What is said about a weight where it is used: its name, its named sizes, and its initialisation. */

/**
 * How a weight is initialised, and its value if a checkpoint leaves it out: `drawn` at random as the configuration says, and
 * never left out; `zeros` or `ones`, with which it changes nothing.
 */
export type Init = "drawn" | "zeros" | "ones";

/** Axis by axis, in order: `{ head: 12, d_model: 768, d_head: 64 }`. */
export type Sizes = Readonly<Record<string, number>>;

/** A weight that a model has. */
export interface WeightSpec {
  /** TransformerLens' name: `blocks.0.attn.W_Q`. */
  readonly name: string;
  readonly axes: readonly string[];
  readonly shape: readonly number[];
  readonly init: Init;
}
