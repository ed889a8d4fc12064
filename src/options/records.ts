/**
 * Options as records. The record of an option is its type, default, range, check, help text and form field: a function's
 * options, its command and its form are made from it, and no other place says any of these.
 */
import type { Dictionary } from "../dictionaries/dictionary.ts";
import type { HookedTransformerConfig } from "../models/config/config.ts";
import type { TokenIds } from "../text/token-ids.ts";

/** What ranges of options may depend on. */
export interface HasSizes {
  readonly cfg: HookedTransformerConfig;
}

/**
 * What another option must be for an option to mean anything. A left out option counts as its default, as false if it is a flag, and
 * else as undefined.
 */
export interface Condition {
  readonly option: string;
  /** One of these. */
  readonly is?: readonly unknown[];
  /** None of these. */
  readonly not?: readonly unknown[];
  /** Why, to follow "which": "makes its own data". */
  readonly which?: string;
}

interface Described {
  readonly description: string;
  /** What leaving it out means, where no default says it. */
  readonly defaultText?: string;
  /** What stands for the value in a help text: `K`. */
  readonly placeholder?: string;
  /** Of functions only: the command has it in another way. */
  readonly inCode?: true;
  /** All of these must hold; otherwise giving the option is refused, and its value is undefined. */
  readonly only?: readonly Condition[];
}

/** A whole number. Without a default, leaving it out has a special meaning, which `defaultText` describes. */
export interface IntegerOption extends Described {
  readonly type: "integer";
  readonly default?: number;
  /** The smallest value. */
  readonly least: number;
  /** The largest value, which may depend on the model and on other options as they were given; a larger default counts as this. */
  readonly most?: number | ((model: HasSizes, given: Readonly<Record<string, unknown>>) => number);
}

/** A layer, from 0; negative counts from the end. Its value is from 0. */
export interface LayerOption extends Described {
  readonly type: "layer";
  readonly default?: number;
}

/** Several layers, one argument each. */
export interface LayersOption extends Described {
  readonly type: "layers";
}

/** A head's index within its layer, from 0. */
export interface HeadOption extends Described {
  readonly type: "head";
  readonly default?: number;
}

/** Several heads' indices, one argument each. */
export interface HeadsOption extends Described {
  readonly type: "heads";
}

/** Bounds of numbers. */
export interface Range {
  /** Every value is larger. */
  readonly above?: number;
  readonly least?: number;
  readonly most?: number;
  /** Every value is smaller. */
  readonly below?: number;
}

/** A number. */
export interface NumberOption extends Described, Range {
  readonly type: "number";
  readonly default?: number;
}

/** Several numbers, one argument each. */
export interface NumbersOption extends Described, Range {
  readonly type: "numbers";
  /** How many. */
  readonly count: number;
}

/** A prompt: a text, or in code token ids; on the command line "-" means standard input. */
export interface PromptOption extends Described {
  readonly type: "prompt";
  readonly default?: string;
}

/** An answer of one token: its text, or in code its id. */
export interface AnswerOption extends Described {
  readonly type: "answer";
  readonly default?: string;
}

/** A text, taken literally. */
export interface TextOption extends Described {
  readonly type: "text";
  readonly default?: string;
}

/** Several texts, one argument each: `--answers " Mary" " John"`; in code a list, or one text alone. */
export interface TextsOption extends Described {
  readonly type: "texts";
  readonly default?: readonly string[];
  /** The only texts there are, where that is known. */
  readonly among?: readonly string[];
}

/** One of a few words. */
export interface ChoiceOption extends Described {
  readonly type: "choice";
  readonly choices: readonly [string, ...string[]];
  readonly default?: string;
}

/**
 * A text, read whole: on the command line a file, or "-" for standard input; in code the text, or its name and itself. `defaultText`
 * describes what is used without one.
 */
export interface FileOption extends Described {
  readonly type: "file";
  readonly defaultText: string;
}

/** The contents of a file option. */
export interface FileText {
  /** The path, as the user wrote it. */
  readonly name: string;
  readonly text: string;
}

/** Yes or no; no by default. */
export interface FlagOption extends Described {
  readonly type: "flag";
}

/** Texts to analyse. */
export interface PromptsOption extends Described {
  readonly type: "prompts";
  readonly default: readonly string[];
  readonly defaultText: string;
}

/** A model, by its name or its folder. */
export interface ModelOption extends Described {
  readonly type: "model";
  readonly default?: string;
}

/** A dictionary, by its folder or its name on the hub; in code also a dictionary that is there. */
export interface DictionaryOption extends Described {
  readonly type: "dictionary";
}

/** A file or a folder, by its path. */
export interface PathOption extends Described {
  readonly type: "path";
  readonly names: "file" | "folder";
  /** It must be given. */
  readonly mandatory?: true;
}

/** Several files, one argument each. */
export interface PathsOption extends Described {
  readonly type: "paths";
}

/** One option. */
export type OptionRecord =
  | IntegerOption
  | LayerOption
  | LayersOption
  | HeadOption
  | HeadsOption
  | NumberOption
  | NumbersOption
  | PromptOption
  | AnswerOption
  | TextOption
  | TextsOption
  | ChoiceOption
  | FileOption
  | FlagOption
  | PromptsOption
  | ModelOption
  | DictionaryOption
  | PathOption
  | PathsOption;

/** Options by name, in camelCase; on the command line `excludeBos` becomes `--exclude-bos`. */
export type OptionRecords = Readonly<Record<string, OptionRecord>>;

interface ValueOfType {
  readonly integer: number;
  readonly layer: number;
  readonly layers: readonly number[];
  readonly head: number;
  readonly heads: readonly number[];
  readonly number: number;
  readonly numbers: readonly number[];
  readonly prompt: string | TokenIds;
  readonly answer: string | number;
  readonly text: string;
  readonly texts: string | readonly string[];
  readonly file: string | FileText;
  readonly flag: boolean;
  readonly prompts: readonly (string | TokenIds)[];
  readonly model: string;
  readonly dictionary: string | Dictionary;
  readonly path: string;
  readonly paths: readonly string[];
}

/** What a caller may give for an option. */
export type GivenValue<T extends OptionRecord> = T extends ChoiceOption
  ? T["choices"][number]
  : ValueOfType[Exclude<T, ChoiceOption>["type"]];

interface SettledOfType {
  readonly texts: readonly string[];
  readonly file: FileText;
}

/** What is made of it. */
export type SettledValue<T extends OptionRecord> = T["type"] extends keyof SettledOfType
  ? SettledOfType[T["type"]]
  : GivenValue<T>;

/** Undefined only if the option was left out and has no default, or if it does not apply. */
export type ValueOf<T extends OptionRecord> = T extends { readonly only: unknown }
  ? SettledValue<T> | undefined
  : T extends FlagOption | { readonly default: unknown } | { readonly mandatory: true }
    ? SettledValue<T>
    : SettledValue<T> | undefined;
