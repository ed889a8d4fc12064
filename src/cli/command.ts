/** A command as a record: from it come its help, the reading of its options, and its completion in a shell. */
import { Argument, Command } from "commander";
import { kindOfOption } from "../options/kinds.ts";
import type { OptionRecord, OptionRecords, SettledValue } from "../options/records.ts";
import { type Given, type Settled, settle } from "../options/settle.ts";
import { dashed } from "../options/written.ts";
import { ArgumentError } from "../tensor/errors.ts";
import { shown } from "../tensor/show.ts";
import { examples } from "./examples.ts";
import { commanderOption, FLAGS } from "./flags.ts";
import { readPrompts, readText } from "./input-files.ts";
import { heeding, type Terminal } from "./terminal.ts";

/** What a command takes besides options. */
export interface Positional {
  readonly name: string;
  readonly description: string;
  readonly several?: true;
  readonly mandatory?: true;
  /** The option that it stands for. */
  readonly option?: string;
  /** What it can be, for completion in a shell. */
  readonly is: "text" | "file" | "model" | readonly string[];
}

/** The options of every command, which can stand before the command, too. */
export const EVERY_OPTION = {
  quiet: { type: "flag", description: "no progress, and no list of the files that were written" },
  noColor: { type: "flag", description: "no colours, as with NO_COLOR in the environment" },
} as const satisfies OptionRecords;

/** One command. */
export interface CommandRecord<O extends OptionRecords = OptionRecords> {
  readonly name: string;
  /** The heading above it in the list of commands. */
  readonly group: string;
  /** What it does, as the list of commands has it. */
  readonly summary: string;
  readonly description: string;
  readonly argument?: Positional;
  readonly options: O;
  /** Headings in its help, each by the first option under it. */
  readonly headings?: Readonly<Record<string, string>>;
  /** As typed after `glassformer`. */
  readonly examples: readonly string[];
  /** @param values with defaults filled in, as far as they do not depend on a model */
  run(values: Settled<O>, context: CommandContext<O>): Promise<void> | void;
}

/** Options that were given, once they are read. */
export type Read<O extends OptionRecords> = { readonly [K in keyof O]?: SettledValue<O[K]> | undefined };

/** What a command runs with. */
export interface CommandContext<O extends OptionRecords = OptionRecords> {
  readonly terminal: Terminal;
  /** The options that were given, without defaults, with prompts and texts read from where they are. */
  readonly read: () => Promise<Read<O>>;
  readonly args: readonly string[];
}

/** A record, with the types of its options inferred. */
export function command<const O extends OptionRecords>(record: CommandRecord<O>): CommandRecord {
  return record as unknown as CommandRecord;
}

/** A command as commander has it. */
export function commanderCommand(record: CommandRecord, terminal: Terminal): Command {
  const made = new Command(record.name).summary(record.summary).description(record.description);
  if (record.argument) made.addArgument(argumentOf(record.argument));
  for (const [name, option] of Object.entries<OptionRecord>({ ...record.options, ...EVERY_OPTION })) {
    if (option.inCode) continue;
    const heading = record.headings?.[name];
    if (heading !== undefined) made.optionsGroup(heading);
    made.addOption(commanderOption(name, option));
  }
  if (record.examples.length > 0) made.addHelpText("after", examples(...record.examples));
  return made.action(async () => {
    const { color, quiet, ...rest } = made.opts();
    const before = made.parent?.opts();
    const given = { ...rest, ...fromArgument(record, made.args, rest) };
    const values = settle(checked(record, given), record.options, { spelling: FLAGS });
    await record.run(values, {
      terminal: heeding(terminal, Boolean(quiet || before?.quiet), color === false || before?.color === false),
      read: () => read(record.options, given),
      args: made.args,
    });
  });
}

function argumentOf({ name, description, several, mandatory }: Positional): Argument {
  const inner = several ? `${name}...` : name;
  return new Argument(mandatory ? `<${inner}>` : `[${inner}]`, description);
}

/** The option that the argument stands for. @throws ArgumentError if it was given too */
function fromArgument(
  { argument }: CommandRecord,
  [text]: readonly string[],
  given: Readonly<Record<string, unknown>>,
) {
  const option = argument?.option;
  if (option === undefined || text === undefined) return {};
  if (given[option] === undefined) return { [option]: text };
  throw new ArgumentError(
    `${shown(text)} and ${dashed(option)} ${shown(given[option])} both say the ${option}: give one of them.`,
    { asked: text, found: given[option] },
  );
}

/** @throws ArgumentError for a list of the wrong length; commander has checked the rest */
function checked({ options }: CommandRecord, given: Readonly<Record<string, unknown>>): Given<OptionRecords> {
  for (const [name, option] of Object.entries(options)) {
    if (option.type !== "numbers" || given[name] === undefined) continue;
    const { accepts, describe } = kindOfOption(option);
    if (accepts(given[name])) continue;
    throw new ArgumentError(`${dashed(name)} must be ${describe}, not ${(given[name] as number[]).join(" ")}.`, {
      asked: given[name],
    });
  }
  return given as Given<OptionRecords>;
}

/** Whether an option is text that may come through a pipe. */
function isInput({ type }: OptionRecord): boolean {
  return type === "prompt" || type === "prompts" || type === "file";
}

/** The options that were given, with prompts and texts read. @throws ArgumentError if two of them are to come from standard input; InputError */
async function read(options: OptionRecords, given: Readonly<Record<string, unknown>>): Promise<Read<OptionRecords>> {
  const piped = Object.keys(options).filter((name) => isInput(options[name]) && given[name] === "-");
  if (piped.length > 1) {
    throw new ArgumentError(
      `${dashed(piped[0])} and ${dashed(piped[1])} cannot both be standard input: give one as text, or from a file.`,
      { asked: piped },
    );
  }
  const values: Record<string, unknown> = {};
  for (const [name, option] of Object.entries(options)) {
    const value = given[name];
    if (value === undefined) continue;
    values[name] = isInput(option) ? await inputOf(option, `${value}`) : value;
  }
  return values as Read<OptionRecords>;
}

async function inputOf({ type }: OptionRecord, value: string): Promise<unknown> {
  if (type === "prompts") return readPrompts(value);
  if (type === "file") return readText(value);
  // As `$(…)` does, so that a prompt from a pipe is the one that an argument would be.
  return value === "-" ? (await readText(value)).text.replace(/\n+$/, "") : value;
}
