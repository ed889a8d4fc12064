/** The options of the diffuse-MLP analysis, and their kinds. */
import type { OptionKinds } from "../../tensor/options.ts";
import type { AnalysisOptions } from "../analysis.ts";
import { NOTEBOOK_PROMPTS } from "../notebook-prompts.ts";
import { CONTEXT, kindsOf } from "../option-kinds.ts";

/** What `measureDiffuseMlp` takes besides the model and the prompts. */
export interface MeasureOptions {
  /** The block whose MLP it is; negative counts from the end. Default: the last. */
  readonly layer?: number | undefined;
  /** Of the shuffles of the null model. Default 0. */
  readonly seed?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called as tokens are done; with an MLP before the last layer, each token once for each ablated position. */
  readonly onProgress?: ((progress: { readonly done: number; readonly total: number }) => void) | undefined;
}

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
  top: { type: "integer", placeholder: "K", description: "how many positions to select", default: 10 },
  seed: { type: "integer", placeholder: "N", description: "seed of everything random", default: 0 },
  excludeBos: { type: "flag", description: "leave BOS out of rankings and comparisons" },
} as const satisfies AnalysisOptions;

/** The kinds of `measureDiffuseMlp`'s options. */
export const KINDS: OptionKinds<MeasureOptions> = {
  ...kindsOf(DIFFUSE_MLP_OPTIONS, "prompts", "top", "excludeBos"),
  ...CONTEXT,
};
