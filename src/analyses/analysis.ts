/**
 * What an analysis is to whoever offers it: the command line makes a command from this, a page a form. An analysis is
 * one file with such a description, and one line in the index.
 */
import type { HookedTransformer } from "../lens/hooked-transformer.ts";
import type { Finding } from "./finding.ts";

/** A whole number. Without a default, not giving it means something of its own, which `defaultText` says. */
export interface IntegerOption {
  readonly type: "integer";
  readonly description: string;
  readonly default?: number;
  readonly defaultText?: string;
  /** What stands for the number in a help text: `K`. */
  readonly placeholder?: string;
}

/** Yes or no; no unless given. */
export interface FlagOption {
  readonly type: "flag";
  readonly description: string;
}

/** Texts to analyse. */
export interface PromptsOption {
  readonly type: "prompts";
  readonly description: string;
  readonly default: readonly string[];
  readonly defaultText: string;
}

export type AnalysisOption = IntegerOption | FlagOption | PromptsOption;

/** Options by name, in camelCase; a command line has `excludeBos` as `--exclude-bos`. */
export type AnalysisOptions = Readonly<Record<string, AnalysisOption>>;

type ValueOf<T extends AnalysisOption> = T extends FlagOption
  ? boolean
  : T extends PromptsOption
    ? readonly string[]
    : T extends { readonly default: number }
      ? number
      : number | undefined;

/** The value of each option, defaults filled in. */
export type OptionValues<O extends AnalysisOptions = AnalysisOptions> = { readonly [K in keyof O]: ValueOf<O[K]> };

/** What every analysis' run is given besides. */
export interface AnalysisContext {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: { readonly done: number; readonly total: number }) => void) | undefined;
}

/** One question that can be asked of a model. */
export interface Analysis<O extends AnalysisOptions = AnalysisOptions> {
  /** Its command: `diffuse-mlp`. */
  readonly name: string;
  /** As one sentence with a question mark. */
  readonly question: string;
  /** What it does and where it comes from, in a few sentences. */
  readonly description: string;
  readonly options: O;
  /** Arguments of a command that shows it at work. */
  readonly example: string;
  run(model: HookedTransformer, options: OptionValues<O>, context: AnalysisContext): Promise<Finding>;
}

/** The analysis itself, with its options' types worked out. */
export function analysis<const O extends AnalysisOptions>(parts: Analysis<O>): Analysis {
  return parts as unknown as Analysis;
}
