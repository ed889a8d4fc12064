/**
 * How an analysis describes itself: the command line makes a command from this, a page makes a form. An analysis is
 * one file with such a description, and one line in the index.
 */
import type { Finding } from "../finding/finding.ts";
import type { HookedTransformer } from "../lens/hooked-transformer.ts";
import type { bundledModels } from "../load/names.ts";
import type { AnalysisOptions, GivenOptions } from "../measures/options.ts";

/** One question that can be asked about a model. */
export interface Analysis<O extends AnalysisOptions = AnalysisOptions> {
  /** Its command: `diffuse-mlp`. */
  readonly name: string;
  /** As one sentence with a question mark. */
  readonly question: string;
  /** What it does and where it comes from, in a few sentences. */
  readonly description: string;
  readonly options: O;
  /** Options of an example, for its command's help and its page in docs/techniques: quick, on the bundled model. */
  readonly example: GivenOptions<O>;
  /** The bundled model that its command uses without --model: one in which there is something to find. Default: solu-1l-novels. */
  readonly model?: (typeof bundledModels)[number];
  /** The analysis itself: `logitLens`. */
  run(model: HookedTransformer, options?: GivenOptions<O>): Promise<Finding>;
}

/** The analysis itself, with the types of its options inferred. */
export function analysis<const O extends AnalysisOptions>(parts: Analysis<O>): Analysis {
  return parts as unknown as Analysis;
}
