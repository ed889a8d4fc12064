/** The options of the ablation. */
import { NOTEBOOK_PROMPTS } from "../notebook-prompts.ts";
import { type AnalysisOptions, type GivenOptions, layerOption, memoryOption, seedOption } from "../options.ts";

/** What is ablated, one at a time. */
export const ABLATION_KINDS = ["heads", "layers", "neurons", "positions"] as const;

/** One of `ABLATION_KINDS`. */
export type AblationKind = (typeof ABLATION_KINDS)[number];

/** The options of `measureAblation`. */
export type MeasureAblationOptions = GivenOptions<typeof ABLATION_OPTIONS>;

export const ABLATION_OPTIONS = {
  prompts: {
    type: "prompts",
    description: "the prompts to run on",
    default: NOTEBOOK_PROMPTS,
    defaultText: `the notebook's ${NOTEBOOK_PROMPTS.length}`,
  },
  over: {
    type: "choice",
    description: "what to ablate, one at a time",
    choices: ABLATION_KINDS,
    default: "heads",
  },
  by: {
    type: "choice",
    description: "what to replace it with",
    choices: ["zero", "mean", "resample"],
    default: "mean",
  },
  layer: {
    ...layerOption("for neurons and positions: the layer, from 0; negative counts from the end"),
    only: [{ option: "over", is: ["neurons", "positions"] }],
  },
  answer: {
    type: "answer",
    description: "measure this token's logit after the prompt",
    defaultText: "measure the loss",
  },
  wrong: { type: "answer", description: "minus this token's logit" },
  seed: { ...seedOption("the resampling"), only: [{ option: "by", is: ["resample"] }] },
  memory: memoryOption(),
} as const satisfies AnalysisOptions;
