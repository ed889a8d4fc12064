/**
 * How an analysis describes itself: the command line makes a command from this, a page makes a form. An analysis is
 * one file with such a description, and one line in the index.
 */

import type { Finding } from "../finding/finding.ts";
import type { HookedTransformer } from "../lens/hooked-transformer.ts";

/** A whole number. Without a default, leaving it out has a special meaning, which `defaultText` describes. */
export interface IntegerOption {
  readonly type: "integer";
  readonly description: string;
  readonly default?: number;
  readonly defaultText?: string;
  /** What stands for the number in a help text: `K`. */
  readonly placeholder?: string;
}

/** A number. */
export interface NumberOption {
  readonly type: "number";
  readonly description: string;
  readonly default?: number;
  readonly defaultText?: string;
  readonly placeholder?: string;
}

/** A text, taken literally: a prompt, an answer. */
export interface TextOption {
  readonly type: "text";
  readonly description: string;
  readonly default?: string;
  readonly defaultText?: string;
  readonly placeholder?: string;
}

/** Several texts, one argument each: `--answers " Mary" " John"`. */
export interface TextsOption {
  readonly type: "texts";
  readonly description: string;
  readonly default?: readonly string[];
  readonly defaultText?: string;
  readonly placeholder?: string;
}

/** Several whole numbers, one argument each: `--layers 0 3`. */
export interface IntegersOption {
  readonly type: "integers";
  readonly description: string;
  readonly default?: readonly number[];
  readonly defaultText?: string;
  readonly placeholder?: string;
}

/** One of a few words. */
export interface ChoiceOption {
  readonly type: "choice";
  readonly description: string;
  readonly choices: readonly [string, ...string[]];
  readonly default?: string;
  readonly defaultText?: string;
}

/** A text file, read whole; on the command line "-" means standard input. `defaultText` describes what is used without one. */
export interface FileOption {
  readonly type: "file";
  readonly description: string;
  readonly defaultText: string;
}

/** The contents of a file option. */
export interface FileText {
  /** The path, as the user wrote it. */
  readonly name: string;
  readonly text: string;
}

/** Yes or no; no by default. */
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

/** One option of an analysis. */
export type AnalysisOption =
  | IntegerOption
  | IntegersOption
  | NumberOption
  | TextOption
  | TextsOption
  | ChoiceOption
  | FileOption
  | FlagOption
  | PromptsOption;

/** Options by name, in camelCase; on the command line `excludeBos` becomes `--exclude-bos`. */
export type AnalysisOptions = Readonly<Record<string, AnalysisOption>>;

interface ValueOfType {
  readonly integer: number;
  readonly integers: readonly number[];
  readonly number: number;
  readonly text: string;
  readonly texts: readonly string[];
  readonly file: FileText;
  readonly flag: boolean;
  readonly prompts: readonly string[];
}

type GivenValue<T extends AnalysisOption> = T extends ChoiceOption
  ? T["choices"][number]
  : ValueOfType[Exclude<T, ChoiceOption>["type"]];

/** Undefined only if the option was left out and has no default. */
type ValueOf<T extends AnalysisOption> = T extends FlagOption | { readonly default: unknown }
  ? GivenValue<T>
  : GivenValue<T> | undefined;

/** The value of each option, defaults filled in. */
export type OptionValues<O extends AnalysisOptions = AnalysisOptions> = { readonly [K in keyof O]: ValueOf<O[K]> };

/** What every analysis also receives when it runs. */
export interface AnalysisContext {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: { readonly done: number; readonly total: number }) => void) | undefined;
}

/** One question that can be asked about a model. */
export interface Analysis<O extends AnalysisOptions = AnalysisOptions> {
  /** Its command: `diffuse-mlp`. */
  readonly name: string;
  /** As one sentence with a question mark. */
  readonly question: string;
  /** What it does and where it comes from, in a few sentences. */
  readonly description: string;
  readonly options: O;
  /** Example arguments for its command. */
  readonly example: string;
  /** What its progress counts, if it reports any: "prompts". */
  readonly counts?: string;
  run(model: HookedTransformer, options: OptionValues<O>, context: AnalysisContext): Promise<Finding>;
}

/** The analysis itself, with the types of its options inferred. */
export function analysis<const O extends AnalysisOptions>(parts: Analysis<O>): Analysis {
  return parts as unknown as Analysis;
}
