/** The options of a change of a run. */
import type { Given, Settled } from "../../options/settle.ts";
import { type AnalysisOptions, layerOption } from "../options.ts";

export const INTERVENTION_OPTIONS = {
  what: {
    type: "choice",
    description:
      "what is changed: a head's output before W_O, a neuron's activation, what attention or the MLP writes, or the stream after a layer",
    choices: ["head", "neuron", "attention", "mlp", "stream"],
    default: "head",
  },
  layer: layerOption("the layer, from 0; negative counts from the end"),
  head: { type: "head", description: "the head's index within its layer", only: [{ option: "what", is: ["head"] }] },
  neuron: {
    type: "integer",
    description: "the neuron's index within its layer",
    least: 0,
    most: ({ cfg }) => (cfg.dMlp ?? 1) - 1,
    only: [{ option: "what", is: ["neuron"] }],
  },
  position: { type: "integer", description: "the only position", least: 0, defaultText: "all positions" },
  by: {
    type: "choice",
    description:
      "what is done: zero, or its mean over the prompt; scaled; patched from another prompt; or a direction added, from one prompt to another",
    choices: ["zero", "mean", "scale", "patch", "add"],
    default: "zero",
  },
  factor: {
    type: "number",
    description: "how many times",
    default: 1,
    least: -10,
    most: 10,
    only: [{ option: "by", is: ["scale", "add"] }],
  },
  from: {
    type: "text",
    description: "the other prompt; of a direction, where it points to",
    only: [{ option: "by", is: ["patch", "add"] }],
  },
  against: {
    type: "text",
    description: "the prompt that a direction starts from",
    defaultText: "nothing: the values themselves",
    only: [{ option: "by", is: ["add"] }],
  },
} as const satisfies AnalysisOptions;

/** One change of a run: what is changed, where, and by what. */
export type Intervention = Settled<typeof INTERVENTION_OPTIONS>;

/** As it is given: what is left out has its default. */
export type GivenIntervention = Given<typeof INTERVENTION_OPTIONS>;
