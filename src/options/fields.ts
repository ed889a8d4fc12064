/** Options as fields of a form: their records as plain data, with the ranges that they have for a model. */
import type { Condition, HasSizes, OptionRecord, OptionRecords } from "./records.ts";

/** What a form needs to know about an option. It survives JSON and `postMessage`. */
export interface Field {
  readonly name: string;
  /** As a form shows it: "max new tokens". */
  readonly label: string;
  readonly type: OptionRecord["type"];
  readonly description: string;
  /** What leaving it out means: a value, or words if no value says it. */
  readonly default?: unknown;
  readonly defaultText?: string;
  /** The ends of its range, those that belong to it and those that do not. */
  readonly least?: number;
  readonly most?: number;
  readonly above?: number;
  readonly below?: number;
  /** The only values there are. */
  readonly choices?: readonly string[];
  /** How many numbers it has. */
  readonly count?: number;
  readonly only?: readonly Condition[];
}

/**
 * The fields of a form for options, in their order; options for code alone are left out.
 * @param model what ranges depend on
 */
export function fieldsOf(records: OptionRecords, model: HasSizes): Field[] {
  return Object.entries(records).flatMap(([name, option]) => (option.inCode ? [] : [fieldOf(name, option, model)]));
}

function fieldOf(name: string, option: OptionRecord, model: HasSizes): Field {
  const { type, description, defaultText, only } = option;
  const standard = "default" in option ? option.default : undefined;
  return {
    name,
    label: name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`),
    type,
    description,
    ...(standard === undefined ? {} : { default: standard }),
    ...(defaultText === undefined ? {} : { defaultText }),
    ...rangeOf(option, model),
    ...(option.type === "choice" ? { choices: option.choices } : {}),
    ...(option.type === "texts" && option.among ? { choices: option.among } : {}),
    ...(option.type === "numbers" ? { count: option.count } : {}),
    ...(only === undefined ? {} : { only }),
  };
}

function rangeOf(option: OptionRecord, model: HasSizes): Pick<Field, "least" | "most" | "above" | "below"> {
  const { nLayers, nHeads } = model.cfg;
  switch (option.type) {
    case "integer": {
      const most = typeof option.most === "function" ? option.most(model, {}) : option.most;
      return { least: option.least, ...(most === undefined ? {} : { most }) };
    }
    case "layer":
    case "layers":
      return { least: -nLayers, most: nLayers - 1 };
    case "head":
    case "heads":
      return { least: 0, most: nHeads - 1 };
    case "number":
    case "numbers": {
      const { least, most, above, below } = option;
      const ends = Object.entries({ least, most, above, below }).filter(([, end]) => end !== undefined);
      return Object.fromEntries(ends);
    }
    default:
      return {};
  }
}
