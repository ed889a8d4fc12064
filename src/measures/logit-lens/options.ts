/** The options of the logit lens. */
import type { AnalysisOptions, GivenOptions } from "../options.ts";

/** The options of `logitLens`. */
export type LogitLensOptions = GivenOptions<typeof LOGIT_LENS_OPTIONS, "prompt">;

export const DEFAULT_PROMPT = "He sat down in the chair, looked at me for a moment, and shook his head.";

export const LOGIT_LENS_OPTIONS = {
  prompt: { type: "prompt", description: "the text to read", default: DEFAULT_PROMPT },
  top: {
    type: "integer",
    placeholder: "K",
    description: "tokens to keep for each layer and position",
    default: 5,
    least: 1,
    most: ({ cfg }) => cfg.dVocabOut,
  },
} as const satisfies AnalysisOptions;
