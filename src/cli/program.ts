/** The command line as a whole: one command for each analysis, one that trains, and one that lists the models. */
import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { ANALYSES } from "../analyses/index.ts";
import { UnknownNameError } from "../tensor/errors.ts";
import { analysisCommand } from "./analysis-command.ts";
import { examples } from "./examples.ts";
import { modelsCommand } from "./models-command.ts";
import { type Terminal, widthOf } from "./terminal.ts";
import { trainCommand } from "./train-command.ts";

/** Runs a command. @param args without node and the script. @throws whatever the command throws; see exit.ts */
export async function runCommand(args: readonly string[], terminal: Terminal): Promise<void> {
  const program = programOver(terminal);
  try {
    await program.parseAsync([...args], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError && error.code === "commander.unknownCommand")) throw error;
    const commands = program.commands.map((command) => command.name());
    throw new UnknownNameError("command", program.args[0], commands, "`glassformer --help` lists them.");
  }
}

function programOver(terminal: Terminal): Command {
  const program = new Command("glassformer")
    .description(
      "Mechanistic interpretability of transformer language models: each command asks one question about a model and reports the answer; train makes models.",
    )
    .version(version(), "--version", "print the version")
    .helpOption("--help", "print this help")
    .helpCommand(false)
    .addHelpText("after", examples("diffuse-mlp --out report.html"));
  const commands = [
    ...ANALYSES.map((analysis) => analysisCommand(analysis, terminal)),
    trainCommand(terminal),
    modelsCommand(terminal),
  ];
  for (const command of commands) program.addCommand(command.helpOption("--help", "print this help"));
  for (const command of [program, ...commands]) {
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

/** From package.json, which is two levels up from `src/cli` and from `dist/cli` alike. */
function version(): string {
  return JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")).version;
}
