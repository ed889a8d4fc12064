/** Changes of a run of each kind. */
import type { GivenIntervention } from "../../src/measures/interventions/options.ts";

export const NAME = "gelu-3l-novels";
export const PROMPT = "My sister was angry, because";
export const OTHER = "My brother was angry, because";

export const CHANGES = {
  "a head, zero": { what: "head", layer: 1, head: 2 },
  "a head at one position, scaled": { what: "head", layer: 1, head: 2, position: 3, by: "scale", factor: -0.5 },
  "a neuron, its mean": { what: "neuron", layer: 0, neuron: 17, by: "mean" },
  "an MLP, zero": { what: "mlp", layer: 2 },
  "attention, its mean": { what: "attention", layer: 0, by: "mean" },
  "the stream at one position, from another prompt": {
    what: "stream",
    layer: 1,
    position: 2,
    by: "patch",
    from: OTHER,
  },
  "a head, from another prompt at all positions": { what: "head", layer: -2, head: 0, by: "patch", from: OTHER },
  "a direction added to the stream": {
    what: "stream",
    layer: 1,
    by: "add",
    factor: 2,
    from: "The lady was here",
    against: "The gentleman was here",
  },
} as const satisfies Readonly<Record<string, GivenIntervention>>;
