/** The options of the diffuse-MLP analysis. */
import { NOTEBOOK_PROMPTS } from "../notebook-prompts.ts";
import { type AnalysisOptions, type GivenOptions, layerOption, seedOption } from "../options.ts";

/** The options of `measureDiffuseMlp`. */
export type MeasureDiffuseMlpOptions = GivenOptions<typeof DIFFUSE_MLP_OPTIONS>;

export const DIFFUSE_MLP_OPTIONS = {
  prompts: {
    type: "prompts",
    description: "the prompts to analyse",
    default: NOTEBOOK_PROMPTS,
    defaultText: `the notebook's ${NOTEBOOK_PROMPTS.length}`,
  },
  layer: layerOption("the block whose MLP to look at, from 0; negative counts from the end"),
  seed: seedOption(),
} as const satisfies AnalysisOptions;
