/** The command line as a whole. */
import { Command } from "commander";
import { VERSION } from "../finding/provenance.ts";
import { dashed } from "../options/written.ts";
import { UnknownNameError } from "../tensor/errors.ts";
import { commanderCommand, EVERY_OPTION } from "./command.ts";
import { COMMANDS } from "./commands.ts";
import { examples } from "./examples.ts";
import { commanderOption } from "./flags.ts";
import { type Terminal, widthOf } from "./terminal.ts";

/** Runs a command. @param args without node and the script. @throws whatever the command throws; see exit.ts */
export async function runCommand(args: readonly string[], terminal: Terminal): Promise<void> {
  const flags = Object.keys(EVERY_OPTION).map(dashed);
  const at = args.findIndex((word) => !flags.includes(word));
  const before = at < 0 ? args : args.slice(0, at);
  const typed = asTyped(args.slice(before.length));
  const names = COMMANDS.map(({ name }) => name);
  if (typed[0] !== undefined && !typed[0].startsWith("-") && !names.includes(typed[0])) {
    throw new UnknownNameError("command", typed[0], names, "`glassformer --help` lists them.");
  }
  await programOver(terminal).parseAsync([...before, ...typed], { from: "user" });
}

/** `help X` is `X --help`, and `help` alone is `--help`. */
function asTyped([first, ...rest]: readonly string[]): string[] {
  if (first !== "help") return first === undefined ? [] : [first, ...rest];
  const named = rest.find((word) => !word.startsWith("-"));
  return named === undefined || named === "help" ? ["--help"] : [named, "--help"];
}

function programOver(terminal: Terminal): Command {
  const program = new Command("glassformer")
    .description(
      "Mechanistic interpretability of transformer language models: each command asks one question about a model and reports the answer; train makes models.",
    )
    .enablePositionalOptions()
    .version(VERSION, "--version", "print the version")
    .helpOption("--help", "print this help")
    .helpCommand(false)
    .configureHelp({ subcommandTerm: (command) => command.name() })
    .addHelpText("after", examples('look "The cat sat on the" --out look.html', "help logit-lens"));
  for (const [name, option] of Object.entries(EVERY_OPTION)) program.addOption(commanderOption(name, option));
  for (const record of COMMANDS) {
    const command = commanderCommand(record, terminal).helpOption("--help", "print this help");
    program.addCommand(command.helpGroup(record.group));
  }
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({
      writeOut: (text) => terminal.stdout.write(text),
      // Help that was not requested belongs to an error; errors are printed where the command ends.
      writeErr: (text) => terminal.stderr.write(text),
      outputError: () => {},
      getOutHelpWidth: () => Math.min(widthOf(terminal.stdout), 100),
      getErrHelpWidth: () => Math.min(widthOf(terminal.stderr), 100),
    });
  }
  return program;
}
