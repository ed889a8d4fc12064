/** The options of the ablation, and their kinds. */
import { POSITIVE } from "../../tensor/kinds.ts";
import type { OptionKinds } from "../../tensor/options.ts";
import type { AnalysisContext, AnalysisOptions } from "../analysis.ts";
import { NOTEBOOK_PROMPTS } from "../notebook-prompts.ts";
import { CONTEXT, kindsOf } from "../option-kinds.ts";
import type { AblationMethod } from "./replacements.ts";

/** What is ablated, one at a time. */
export const ABLATION_KINDS = ["heads", "layers", "neurons", "positions"] as const;

/** One of `ABLATION_KINDS`. */
export type AblationKind = (typeof ABLATION_KINDS)[number];

/** What `measureAblation` and `ablation` take besides the model and the prompts. */
export interface AblationOptions extends AnalysisContext {
  /** What to ablate, one at a time. Default `"heads"`. */
  readonly over?: AblationKind | undefined;
  /** What takes its place. Default `"mean"`. */
  readonly by?: AblationMethod | undefined;
  /** For neurons and positions: of which layer; negative counts from the end. Default the last. */
  readonly layer?: number | undefined;
  /** With both, the effect is on `logit[answer] - logit[wrong]` after the prompt instead of on the loss. */
  readonly answer?: string | number | undefined;
  readonly wrong?: string | number | undefined;
  readonly seed?: number | undefined;
  /** Most bytes for the values of a run. Default: 128 MB, or half of the available memory if that is less. */
  readonly memory?: number | undefined;
}

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
    type: "integer",
    placeholder: "L",
    description: "for neurons and positions: the layer, from 0; negative counts from the end",
    defaultText: "the last",
  },
  answer: {
    type: "text",
    description: "measure this token's logit after the prompt",
    defaultText: "measure the loss",
  },
  wrong: { type: "text", description: "minus this token's logit" },
  seed: { type: "integer", placeholder: "N", description: "seed of the resampling", default: 0 },
  top: { type: "integer", placeholder: "K", description: "how many effects to list", default: 10 },
} as const satisfies AnalysisOptions;

/** The kinds of `measureAblation`'s options. */
export const KINDS: OptionKinds<AblationOptions> = {
  ...kindsOf(ABLATION_OPTIONS, "prompts", "top"),
  ...CONTEXT,
  memory: POSITIVE,
};
