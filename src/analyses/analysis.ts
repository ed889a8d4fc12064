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

/** A number. */
export interface NumberOption {
  readonly type: "number";
  readonly description: string;
  readonly default?: number;
  readonly defaultText?: string;
  readonly placeholder?: string;
}

/** A text as it stands: a prompt, an answer. */
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

/** A text file, read whole; a command line takes "-" for standard input. Without one, `defaultText` says what is taken. */
export interface FileOption {
  readonly type: "file";
  readonly description: string;
  readonly defaultText: string;
}

/** What a file option reads. */
export interface FileText {
  /** As it was given: a path. */
  readonly name: string;
  readonly text: string;
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

/** One thing that can be asked of an analysis. */
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

/** Options by name, in camelCase; a command line has `excludeBos` as `--exclude-bos`. */
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

/** Undefined only where nothing was given and there is no default. */
type ValueOf<T extends AnalysisOption> = T extends FlagOption | { readonly default: unknown }
  ? GivenValue<T>
  : GivenValue<T> | undefined;

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
