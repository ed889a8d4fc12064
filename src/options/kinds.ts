/** The kind of value that an option takes, from its record, as far as it does not depend on a model. */
import { DICTIONARY } from "../dictionaries/kind.ts";
import { ANYTHING, either, FLAG, type Kind, listOf, NUMBER, OBJECT, oneOf, TEXT, WHOLE } from "../tensor/kinds.ts";
import { wholeWords } from "./checks.ts";
import type { FileText, IntegerOption, OptionRecord, OptionRecords, Range } from "./records.ts";

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

/** A dictionary, or the name of one. */
const NAMED_DICTIONARY = either(DICTIONARY, TEXT);

/** The kinds of all of a function's options that have records. */
export function kindsOf<const O extends OptionRecords>(records: O): { readonly [K in keyof O]: Kind } {
  const kinds = Object.entries(records).map(([name, option]) => [name, kindOfOption(option)]);
  return Object.fromEntries(kinds) as { readonly [K in keyof O]: Kind };
}

export function kindOfOption(option: OptionRecord): Kind {
  switch (option.type) {
    case "integer":
      return whole(option);
    case "layer":
    case "head":
      return WHOLE;
    case "layers":
    case "heads":
      return listOf(WHOLE, "whole numbers");
    case "number":
      return within(option);
    case "numbers":
      return severalWithin(option.count, option);
    case "prompt":
    case "answer":
      return WORDS;
    case "text":
    case "model":
    case "path":
      return TEXT;
    case "dictionary":
      return NAMED_DICTIONARY;
    case "texts":
      return either(TEXT, listOf(TEXT, "texts"));
    case "paths":
      return listOf(TEXT, "texts");
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

/** A range that depends on the model is checked when there is one. */
function whole({ least, most }: IntegerOption): Kind {
  const end = typeof most === "number" ? most : Number.MAX_SAFE_INTEGER;
  return {
    accepts: (v) => WHOLE.accepts(v) && (v as number) >= least && (v as number) <= end,
    describe: wholeWords(least, end),
  };
}

function within({ above, least, most, below }: Range): Kind {
  const [low, high] = [above ?? least ?? -Infinity, below ?? most ?? Infinity];
  const from = above !== undefined ? `above ${above}` : least !== undefined ? `of at least ${least}` : "";
  const to = below !== undefined ? `below ${below}` : most !== undefined ? `at most ${most}` : "";
  const isClosed = least !== undefined && most !== undefined;
  const range = isClosed ? `from ${least} to ${most}` : [from, to].filter(Boolean).join(" and ");
  return {
    accepts: (v) =>
      NUMBER.accepts(v) &&
      ((v as number) > low || (above === undefined && v === low)) &&
      ((v as number) < high || (below === undefined && v === high)),
    describe: range === "" ? "a number" : `a number ${range}`,
  };
}

function severalWithin(count: number, range: Range): Kind {
  const each = within(range);
  return {
    accepts: (v) => Array.isArray(v) && v.length === count && v.every(each.accepts),
    describe: `${count} numbers, each ${each.describe}`,
  };
}
