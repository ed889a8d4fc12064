/** Options as a command line has them, made from their records. */
import { InvalidArgumentError, Option } from "commander";
import { kindOfOption } from "../options/kinds.ts";
import type { OptionRecord } from "../options/records.ts";
import type { Spelling } from "../options/settle.ts";
import { dashed } from "../options/written.ts";
import { listed } from "../tensor/words.ts";

/** `--over neurons`; of a flag `--single`; of a text with spaces `--prompt "a b"`. */
function typed(option: string, value: unknown): string {
  if (value === true) return dashed(option);
  const text = `${value}`;
  return `${dashed(option)} ${/^[\w./:-]+$/.test(text) ? text : JSON.stringify(text)}`;
}

/** How messages of commands write options. */
export const FLAGS: Spelling = {
  name: dashed,
  withValue: (option, values) =>
    listed(
      values.map((value) => typed(option, value)),
      "or",
    ),
};

/** How the help shows a value that has no name of its own. */
const PLACEHOLDER: Readonly<Record<Exclude<OptionRecord["type"], "flag">, string>> = {
  prompts: "file",
  file: "file",
  choice: "which",
  prompt: "text",
  answer: "text",
  text: "text",
  texts: "text",
  number: "x",
  numbers: "x",
  integer: "n",
  layer: "n",
  head: "n",
  layers: "n",
  heads: "n",
  model: "model",
  dictionary: "name",
  path: "path",
  paths: "file",
};

/** Whether an option takes several arguments. */
export const isVariadic = ({ type }: OptionRecord): boolean =>
  ["texts", "numbers", "layers", "heads", "paths"].includes(type);

/** What else there is to say about how an option is typed. */
function inputForms(option: OptionRecord): string {
  if (option.type === "prompts") return ': .txt, one per line; .json; .jsonl; "-" for stdin';
  if (option.type === "answer") return ": one token; a word gets a space in front";
  return option.type === "file" || option.type === "prompt" ? '; "-" for stdin' : "";
}

/** The option of commander. It reads numbers and checks their ranges; the command fills in the default. */
export function commanderOption(name: string, option: OptionRecord): Option {
  if (option.type === "flag") return new Option(dashed(name), option.description);
  const value = `${option.placeholder ?? (option.type === "path" ? option.names : PLACEHOLDER[option.type])}`;
  const made = new Option(
    `${dashed(name)} <${value}${isVariadic(option) ? "..." : ""}>`,
    `${option.description}${inputForms(option)}${defaultOf(option)}`,
  );
  if (option.type === "choice") return made.choices(option.choices);
  if (option.type === "path" && option.mandatory) return made.makeOptionMandatory();
  const parse = parser(option);
  return parse ? made.argParser(parse) : made;
}

function defaultOf(option: OptionRecord): string {
  const standard = "default" in option ? option.default : undefined;
  const defaults: readonly unknown[] = Array.isArray(standard) ? standard : [standard];
  const written = standard === undefined ? undefined : defaults.map((value) => JSON.stringify(value)).join(" ");
  const text = option.defaultText ?? written;
  return text === undefined ? "" : ` (default: ${text})`;
}

/** Commander calls it for each argument, passing what it returned for the previous one. */
function parser(option: OptionRecord): ((text: string, before: unknown) => unknown) | undefined {
  switch (option.type) {
    case "integer":
    case "number": {
      const { accepts, describe } = kindOfOption(option);
      return (text) => {
        const value = option.type === "integer" ? wholeNumber(text) : finiteNumber(text);
        if (!accepts(value)) throw new InvalidArgumentError(`It must be ${describe}.`);
        return value;
      };
    }
    case "layer":
    case "head":
      return wholeNumber;
    case "layers":
    case "heads":
      return (text, before) => [...((before ?? []) as number[]), wholeNumber(text)];
    case "numbers":
      return (text, before) => [...((before ?? []) as number[]), finiteNumber(text)];
    default:
      return undefined;
  }
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!/^[+-]?\d+$/.test(text) || !Number.isSafeInteger(value)) {
    throw new InvalidArgumentError("It must be a whole number.");
  }
  return value;
}

function finiteNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new InvalidArgumentError("It must be a number.");
  return value;
}
