/**
 * Options of measures and analyses. The record of an option is its type, default, range, check, help text and form field: a
 * function's options, its command and its form are made from it, and no other place says any of these.
 */
import { checkModel } from "../lens/check.ts";
import type { Model } from "../lens/model.ts";
import { needOneStack } from "../lens/model-has.ts";
import {
  ANYTHING,
  either,
  FLAG,
  FUNCTION,
  type Kind,
  listOf,
  NUMBER,
  OBJECT,
  oneOf,
  POSITIVE,
  SIGNAL,
  TEXT,
  WHOLE,
} from "../tensor/kinds.ts";
import { checkOptions, type OptionKinds } from "../tensor/options.ts";
import type { TokenIds } from "../text/index.ts";
import { checkHead, checkLayer, checkWhole } from "./prompt.ts";

interface Described {
  readonly description: string;
  /** What leaving it out means, where no default says it. */
  readonly defaultText?: string;
  /** What stands for the value in a help text: `K`. */
  readonly placeholder?: string;
  /** Of functions only: the command has it in another way. */
  readonly inCode?: true;
}

/** A whole number. Without a default, leaving it out has a special meaning, which `defaultText` describes. */
export interface IntegerOption extends Described {
  readonly type: "integer";
  readonly default?: number;
  /** The smallest value. */
  readonly least: number;
  /** The largest value, which may depend on the model; a larger default counts as this. */
  readonly most?: number | ((model: Model) => number);
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

/** A number. */
export interface NumberOption extends Described {
  readonly type: "number";
  readonly default?: number;
  /** Every value is larger. */
  readonly above?: 0;
}

/** A prompt: a text, or in code token ids. */
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

/** One option of an analysis. */
export type AnalysisOption =
  | IntegerOption
  | LayerOption
  | LayersOption
  | HeadOption
  | HeadsOption
  | NumberOption
  | PromptOption
  | AnswerOption
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
  readonly layer: number;
  readonly layers: readonly number[];
  readonly head: number;
  readonly heads: readonly number[];
  readonly number: number;
  readonly prompt: string | TokenIds;
  readonly answer: string | number;
  readonly text: string;
  readonly texts: string | readonly string[];
  readonly file: string | FileText;
  readonly flag: boolean;
  readonly prompts: readonly (string | TokenIds)[];
}

type GivenValue<T extends AnalysisOption> = T extends ChoiceOption
  ? T["choices"][number]
  : ValueOfType[Exclude<T, ChoiceOption>["type"]];

interface SettledOfType {
  readonly texts: readonly string[];
  readonly file: FileText;
}

type SettledValue<T extends AnalysisOption> = T["type"] extends keyof SettledOfType
  ? SettledOfType[T["type"]]
  : GivenValue<T>;

/** Undefined only if the option was left out and has no default. */
type ValueOf<T extends AnalysisOption> = T extends FlagOption | { readonly default: unknown }
  ? SettledValue<T>
  : SettledValue<T> | undefined;

/** What every analysis also receives when it runs. */
export interface AnalysisContext {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: { readonly done: number; readonly total: number }) => void) | undefined;
}

/** What a caller may give: any of the options, and a signal and a listener. */
export type GivenOptions<O extends AnalysisOptions = AnalysisOptions> = {
  readonly [K in keyof O]?: GivenValue<O[K]> | undefined;
} & AnalysisContext;

/** The value of each option, with defaults filled in and layers counted from 0. */
export type SettledOptions<O extends AnalysisOptions> = { readonly [K in keyof O]: ValueOf<O[K]> } & AnalysisContext;

/**
 * Checks the options of a function against their records, and fills in defaults.
 * @param of the function's name, for errors
 * @param more options that have no record, because only code can give them: functions, tensors, any input
 * @throws ArgumentError for something that is not a model, an encoder-decoder, an option that does not exist, or a value of another kind or out of range
 */
export function settled<const O extends AnalysisOptions, M extends object = object>(
  of: string,
  model: Model,
  given: GivenOptions<O> & M,
  options: O,
  more?: OptionKinds<M>,
): SettledOptions<O> & M {
  checkModel(of, model);
  needOneStack(of, model);
  const kinds = Object.fromEntries(Object.entries(options).map(([name, option]) => [name, kindOfOption(option)]));
  checkOptions(of, given, { ...kinds, ...more, ...CONTEXT } as never);
  const values = given as Readonly<Record<string, unknown>>;
  const filled = Object.entries(options).map(([name, option]) => [
    name,
    settledValue(name, option, values[name], model),
  ]);
  const others = Object.keys(more ?? {}).map((name) => [name, values[name]]);
  return { ...Object.fromEntries([...filled, ...others]), signal: given.signal, onProgress: given.onProgress };
}

/** An option's value, within its range, or its default. @throws ArgumentError for a value out of range */
function settledValue(name: string, option: AnalysisOption, given: unknown, model: Model): unknown {
  if (option.type === "flag") return given === true;
  const standard = "default" in option ? option.default : undefined;
  switch (option.type) {
    case "integer": {
      const most = typeof option.most === "function" ? option.most(model) : option.most;
      if (given === undefined)
        return standard === undefined ? undefined : Math.min(standard as number, most ?? Infinity);
      checkWhole(name, given as number, option.least, most);
      return given;
    }
    case "layer":
      return (given ?? standard) === undefined ? undefined : checkLayer(model, (given ?? standard) as number);
    case "layers":
      return (given as readonly number[] | undefined)?.map((layer) => checkLayer(model, layer));
    case "head":
      return (given ?? standard) === undefined ? undefined : checkHead(model, (given ?? standard) as number);
    case "heads":
      return (given as readonly number[] | undefined)?.map((head) => checkHead(model, head));
    case "texts":
      return typeof given === "string" ? [given] : (given ?? standard);
    case "file":
      return typeof given === "string" ? { name: "a text", text: given } : given;
    default:
      return given ?? standard;
  }
}

/** A text, or one with its name. */
const FILE: Kind = {
  accepts: (v) =>
    TEXT.accepts(v) || (OBJECT.accepts(v) && TEXT.accepts((v as FileText).name) && TEXT.accepts((v as FileText).text)),
  describe: "a text, or { name, text }",
};

/** A prompt or an answer, which functions also accept as token ids; the code that reads it has better error messages. */
const WORDS: Kind = {
  accepts: (v) => typeof v === "string" || typeof v === "number" || Array.isArray(v) || v instanceof Int32Array,
  describe: "a text, or token ids",
};

/** The options that every analysis takes. */
const CONTEXT = { signal: SIGNAL, onProgress: FUNCTION };

function kindOfOption(option: AnalysisOption): Kind {
  switch (option.type) {
    case "integer":
    case "layer":
    case "head":
      return WHOLE;
    case "layers":
    case "heads":
      return listOf(WHOLE, "whole numbers");
    case "number":
      return option.above === 0 ? POSITIVE : NUMBER;
    case "prompt":
    case "answer":
      return WORDS;
    case "text":
      return TEXT;
    case "texts":
      return either(TEXT, listOf(TEXT, "texts"));
    case "choice":
      return oneOf(option.choices);
    case "flag":
      return FLAG;
    case "file":
      return FILE;
    case "prompts":
      return ANYTHING;
  }
}

// Options that several analyses have.

/** @param of what it is the seed of: "the random tokens" */
export function seedOption(of = "everything random") {
  return { type: "integer", placeholder: "N", description: `seed of ${of}`, default: 0, least: 0 } as const;
}

/** @param what of which the largest are listed: "heads" */
export function topOption(what: string) {
  return { type: "integer", placeholder: "K", description: `how many ${what} to list`, default: 10, least: 1 } as const;
}

/** The last layer by default. @param description what the layer is for */
export function layerOption(description = "the layer, from 0; negative counts from the end") {
  return { type: "layer", placeholder: "L", description, default: -1, defaultText: "the last" } as const;
}

/** How much memory the values of a run may take. */
export function memoryOption() {
  const description = "the most bytes that the values of a run may take";
  const defaultText = "128 MB, or half of the free memory if that is less";
  return { type: "number", above: 0, inCode: true, description, defaultText } as const;
}
