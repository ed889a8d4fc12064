/** The options of a neuron's tokens. */
import { type AnalysisOptions, type GivenOptions, layerOption, seedOption } from "../options.ts";
import { PASSAGE_NAME } from "../passage.ts";

/** The options of `neuronTokens`. */
export type NeuronTokensOptions = GivenOptions<typeof NEURON_OPTIONS, "text">;

export const NEURON_OPTIONS = {
  layer: layerOption(),
  neuron: {
    type: "integer",
    placeholder: "N",
    description: "the neuron",
    defaultText: "the one that writes most at any one place in the text",
    least: 0,
  },
  text: { type: "file", description: "a text file to look for examples in", defaultText: PASSAGE_NAME },
  top: {
    type: "integer",
    placeholder: "K",
    description: "how many tokens and examples",
    default: 10,
    least: 1,
    most: ({ cfg }) => Math.floor(cfg.dVocabOut / 2),
  },
  around: {
    type: "integer",
    placeholder: "N",
    description: "tokens to show on each side of an example",
    default: 12,
    least: 0,
  },
  seed: seedOption("the random neurons"),
} as const satisfies AnalysisOptions;
