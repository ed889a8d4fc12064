/** The kinds of value that the options of an analysis accept, taken from its description of them. */
import { checkModel } from "../lens/check.ts";
import type { Model } from "../lens/model.ts";
import { needOneStack } from "../lens/model-has.ts";
import { ANYTHING, FLAG, FUNCTION, type Kind, listOf, NUMBER, OBJECT, oneOf, SIGNAL, WHOLE } from "../tensor/kinds.ts";
import { checkOptions, type OptionKinds } from "../tensor/options.ts";
import type { AnalysisContext, AnalysisOption, AnalysisOptions } from "./analysis.ts";

/** A prompt or an answer, which functions also accept as token ids; the code that reads it has better error messages. */
const WORDS: Kind = {
  accepts: (v) => typeof v === "string" || typeof v === "number" || Array.isArray(v) || v instanceof Int32Array,
  describe: "a text, or token ids",
};

/** The options that every analysis takes. */
export const CONTEXT: OptionKinds<AnalysisContext> = { signal: SIGNAL, onProgress: FUNCTION };

/** The kinds of an analysis' options, except those that its function takes as separate arguments. */
export function kindsOf<const O extends AnalysisOptions, A extends keyof O = never>(
  options: O,
  ...own: readonly A[]
): { readonly [K in Exclude<keyof O, A>]: Kind } {
  const kinds = Object.entries(options).filter(([name]) => !own.includes(name as never));
  return Object.fromEntries(kinds.map(([name, option]) => [name, kindOfOption(option)])) as never;
}

function kindOfOption(option: AnalysisOption): Kind {
  switch (option.type) {
    case "integer":
      return WHOLE;
    case "integers":
      return listOf(WHOLE, "whole numbers");
    case "number":
      return NUMBER;
    case "text":
      return WORDS;
    case "texts":
      return listOf(WORDS, "texts");
    case "choice":
      return oneOf(option.choices);
    case "flag":
      return FLAG;
    case "file":
      return OBJECT;
    case "prompts":
      return ANYTHING;
  }
}

/** @throws ArgumentError for something that is not a model, an encoder-decoder, or an option that the analysis does not have or cannot accept */
export function checkAnalysis<T extends object>(
  of: string,
  model: unknown,
  options: T,
  kinds: OptionKinds<T>,
): asserts model is Model {
  checkModel(of, model);
  needOneStack(of, model);
  checkOptions(of, options, kinds);
}
