/** What the scan of neurons remembers of each. */
import { PLACE_WIDTH } from "../context.ts";
import { Counts } from "../summaries/counts.ts";
import { GridSums } from "../summaries/grid-sums.ts";
import { TopK } from "../summaries/top-k.ts";

/** Activations are counted from each of these up: so a neuron's histogram has a bin between two of them. */
export const EDGES = [0, 0.1, 0.3, 1, 3, 10] as const;

export interface NeuronsSummaries {
  /** Tokens, at index 0. */
  readonly tokens: Counts;
  /** Of each neuron, layer by layer. */
  readonly sums: GridSums;
  readonly squares: GridSums;
  /** For each neuron, how many activations are above each of `EDGES`. */
  readonly above: Counts;
  /** The rows in which each neuron is most active, and where in them. */
  readonly examples: TopK;
}

/** @param neurons in all layers @param examples of each neuron */
export function emptyNeurons(neurons: number, examples: number): NeuronsSummaries {
  return {
    tokens: new Counts(1),
    sums: new GridSums(neurons),
    squares: new GridSums(neurons),
    above: new Counts(neurons * EDGES.length),
    examples: new TopK(neurons, examples, PLACE_WIDTH),
  };
}
