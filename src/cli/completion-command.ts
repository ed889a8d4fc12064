/** `glassformer completion`: a script with which a shell completes what is typed after `glassformer`. */
import { ArgumentError, UnknownNameError } from "../tensor/errors.ts";
import { type CommandRecord, command } from "./command.ts";
import { bashScript } from "./completion/bash.ts";
import { fishScript } from "./completion/fish.ts";
import { type TypedCommand, typedCommands } from "./completion/words.ts";
import { zshScript } from "./completion/zsh.ts";

const SCRIPTS: Readonly<Record<string, (commands: readonly TypedCommand[]) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};
const SHELLS = Object.keys(SCRIPTS);

/** @param all every command, this one included */
export function completionCommand(all: () => readonly CommandRecord[]): CommandRecord {
  return command({
    name: "completion",
    group: "This program:",
    summary: "Print a script that completes commands in bash, zsh or fish",
    description:
      "Prints a script that makes a shell complete commands, options, their choices, names of models, and files. The script's first line says where it goes.",
    argument: { name: "shell", description: SHELLS.join(", "), is: SHELLS },
    options: {},
    examples: ["completion bash > glassformer.bash"],
    run(_values, { args: [shell], terminal }) {
      if (shell === undefined) {
        throw new ArgumentError(
          `Name the shell: ${SHELLS.map((name) => `glassformer completion ${name}`).join(", ")}.`,
          {
            asked: shell,
            found: SHELLS,
          },
        );
      }
      if (!SHELLS.includes(shell))
        throw new UnknownNameError("shell", shell, SHELLS, `There are ${SHELLS.join(", ")}.`);
      terminal.stdout.write(SCRIPTS[shell](typedCommands(all())));
    },
  });
}
