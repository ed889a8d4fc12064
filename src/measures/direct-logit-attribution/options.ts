/** The options of direct logit attribution. */
import { type AnalysisOptions, type GivenOptions, seedOption, topOption } from "../options.ts";

/** The options of `directLogitAttribution`. */
export type DirectLogitAttributionOptions = GivenOptions<typeof ATTRIBUTION_OPTIONS, "prompt">;

export const DEFAULT_PROMPT = "Elizabeth said that she had not seen Jane, and she asked whether";

export const ATTRIBUTION_OPTIONS = {
  prompt: { type: "prompt", description: "the text whose next token is in question", default: DEFAULT_PROMPT },
  answer: {
    type: "answer",
    placeholder: "token",
    description: "the token in question",
    defaultText: "the most probable",
  },
  against: {
    type: "answer",
    placeholder: "token",
    description: "the token whose logit is subtracted",
    defaultText: "the second most probable",
  },
  single: { type: "flag", description: "subtract no other token's logit" },
  top: topOption("neurons"),
  samples: {
    type: "integer",
    placeholder: "N",
    description: "how many random tokens for the null model",
    default: 100,
    least: 2,
  },
  seed: seedOption("the random tokens"),
} as const satisfies AnalysisOptions;
