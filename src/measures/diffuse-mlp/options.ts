/** The options of the diffuse-MLP analysis. */
import { NOTEBOOK_PROMPTS } from "../notebook-prompts.ts";
import { type AnalysisOptions, type GivenOptions, layerOption, seedOption, topOption } from "../options.ts";

/** What `measureDiffuseMlp` takes besides the model and the prompts. */
export type MeasureOptions = GivenOptions<typeof DIFFUSE_MLP_OPTIONS, "prompts" | "top" | "excludeBos">;

export const DIFFUSE_MLP_OPTIONS = {
  prompts: {
    type: "prompts",
    description: "the prompts to analyse",
    default: NOTEBOOK_PROMPTS,
    defaultText: `the notebook's ${NOTEBOOK_PROMPTS.length}`,
  },
  layer: layerOption("the block whose MLP to look at, from 0; negative counts from the end"),
  top: { ...topOption("positions"), description: "how many positions to select" },
  seed: seedOption(),
  excludeBos: { type: "flag", description: "leave BOS out of rankings and comparisons" },
} as const satisfies AnalysisOptions;
