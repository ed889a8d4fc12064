/** The options of indirect object identification. */
import { type AnalysisOptions, type GivenOptions, seedOption } from "../options.ts";
import { IOI_NAMES } from "./prompts.ts";

/** The options of `measureIoi` and `ioi`. */
export type IoiOptions = GivenOptions<typeof IOI_OPTIONS>;

export const IOI_OPTIONS = {
  samples: { type: "integer", placeholder: "N", description: "how many prompts", default: 100, least: 2 },
  seed: seedOption("templates, names, places, objects"),
  names: {
    type: "texts",
    placeholder: "name",
    description: "first names to draw from",
    defaultText: `${IOI_NAMES.length} common ones`,
  },
} as const satisfies AnalysisOptions;
