/** What can be asked of the diffuse MLP's analysis, and of what kind it is. */
import type { OptionKinds } from "../../tensor/options.ts";
import type { AnalysisOptions } from "../analysis.ts";
import { NOTEBOOK_PROMPTS } from "../notebook-prompts.ts";
import { CONTEXT, kindsOf } from "../option-kinds.ts";
import type { MeasureOptions } from "./measure.ts";

export const DIFFUSE_MLP_OPTIONS = {
  prompts: {
    type: "prompts",
    description: "the prompts to analyse",
    default: NOTEBOOK_PROMPTS,
    defaultText: `the notebook's ${NOTEBOOK_PROMPTS.length}`,
  },
  layer: {
    type: "integer",
    placeholder: "L",
    description: "the block whose MLP to look at, from 0; negative counts from the end",
    defaultText: "the last",
  },
  top: { type: "integer", placeholder: "K", description: "how many positions to choose", default: 10 },
  seed: { type: "integer", placeholder: "N", description: "seed of all that is left to chance", default: 0 },
  excludeBos: { type: "flag", description: "leave BOS out of what is ranked and compared" },
} as const satisfies AnalysisOptions;

/** The kinds of `measureDiffuseMlp`'s options. */
export const KINDS: OptionKinds<MeasureOptions> = {
  ...kindsOf(DIFFUSE_MLP_OPTIONS, "prompts", "top", "excludeBos"),
  ...CONTEXT,
};
