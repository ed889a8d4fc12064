/** What can be typed after `glassformer`, as data: what the scripts for shells are made of. */
import { bundledModels } from "../../load/names.ts";
import { LISTED_BY_ARCHITECTURE } from "../../models/families/aliases.ts";
import type { OptionRecord } from "../../options/records.ts";
import { dashed } from "../../options/written.ts";
import { type CommandRecord, EVERY_OPTION } from "../command.ts";
import { isVariadic } from "../flags.ts";

/** What an option's value, or an argument, can be. */
export type Takes =
  | { readonly kind: "text" | "files" | "folders" | "models" | "commands" }
  | { readonly kind: "words"; readonly words: readonly string[] };

export interface TypedOption {
  /** `--top-k`. */
  readonly flag: string;
  /** In one short sentence. */
  readonly about: string;
  /** Nothing for a flag. */
  readonly takes?: Takes;
  readonly several: boolean;
}

export interface TypedCommand {
  readonly name: string;
  readonly about: string;
  readonly options: readonly TypedOption[];
  readonly argument?: Takes & { readonly several: boolean };
}

export function typedCommands(records: readonly CommandRecord[]): TypedCommand[] {
  return [...records.map(typedCommand), { ...HELP, argument: { kind: "commands", several: false } }];
}

const HELP_OPTION = { flag: "--help", about: "print this help", several: false };

/** What can be typed before the command. */
export const FIRST_OPTIONS: readonly TypedOption[] = [
  ...Object.entries(EVERY_OPTION).map(([name, option]) => typedOption(name, option)),
  { ...HELP_OPTION, about: "print the help" },
  { flag: "--version", about: "print the version", several: false },
];
const HELP = { name: "help", about: "Print the help of a command", options: [HELP_OPTION] };

function typedCommand({ name, summary, options, argument }: CommandRecord): TypedCommand {
  const own = Object.entries<OptionRecord>({ ...options, ...EVERY_OPTION }).filter(([, { inCode }]) => !inCode);
  return {
    name,
    about: summary,
    options: [...own.map(([option, record]) => typedOption(option, record)), HELP_OPTION],
    ...(argument ? { argument: { ...takesOf(argument.is), several: argument.several === true } } : {}),
  };
}

function takesOf(is: NonNullable<CommandRecord["argument"]>["is"]): Takes {
  if (is === "text") return { kind: "text" };
  if (is === "file") return { kind: "files" };
  if (is === "model") return { kind: "models" };
  return { kind: "words", words: is };
}

function typedOption(name: string, option: OptionRecord): TypedOption {
  const takes = takenBy(option);
  const about = option.description.split(/[;:(]/)[0].trim();
  return { flag: dashed(name), about, several: isVariadic(option), ...(takes ? { takes } : {}) };
}

function takenBy(option: OptionRecord): Takes | undefined {
  switch (option.type) {
    case "flag":
      return undefined;
    case "choice":
      return { kind: "words", words: option.choices };
    case "texts":
      return option.among ? { kind: "words", words: option.among } : { kind: "text" };
    case "file":
    case "prompts":
    case "paths":
      return { kind: "files" };
    case "path":
      return { kind: option.names === "folder" ? "folders" : "files" };
    case "model":
      return { kind: "models" };
    default:
      return { kind: "text" };
  }
}

/** Every name that `--model` takes without a path: ids on the hub, and short names. */
export function modelNames(): string[] {
  const listed = [...LISTED_BY_ARCHITECTURE.values()].flatMap((models) => [...models]);
  return [...bundledModels, ...listed.flatMap(([id, aliases]) => [...aliases, id])];
}
