/** Arguments of the command line: random commands, options and values, run in this process. */

import { outcomeOf as endOf } from "../../src/cli/exit.ts";
import { runCommand } from "../../src/cli/program.ts";
import { ANALYSES } from "../../src/index.ts";
import { flawOf, type Outcome, wrong } from "../outcome.ts";
import type { Random } from "../random.ts";
import type { Target } from "../target.ts";
import { pathOf } from "./files.ts";

const VALUES = [
  "",
  "0",
  "-1",
  "1",
  "2.5",
  "1e9",
  "1e400",
  "NaN",
  "x",
  "--",
  "-",
  " ",
  "\u001b[2J",
  "\ud800",
  "é🙂",
  "a".repeat(3000),
  "\n",
  "true",
  "/",
  "/nonexistent/x",
  "x.html",
  "../..",
  "The",
  " the",
  "It was",
  "$(x)",
  "%s",
  "{}",
];

export const cli: Target = {
  name: "cli",
  description: "arguments of every command; each run ends in output and exit code 0, or in a sentence and exit code 2",
  async prepare() {
    const folder = pathOf("test/goldens/hf/gpt2-tiny");
    const commands = [...ANALYSES.map(({ name }) => name), "train", "models"];
    const options = [...new Set(ANALYSES.flatMap(({ options: o }) => Object.keys(o)))].map(kebab);
    const more = [
      "model",
      "json",
      "format",
      "top",
      "seed",
      "help",
      "version",
      "memory",
      "data",
      "steps",
      "task",
      "layers",
    ];
    return async (random): Promise<Outcome> => {
      const args = argumentsOf(random, commands, [...options, ...more], folder);
      const said: string[] = [];
      const write = (text: string) => said.push(text) > 0;
      const stream = {
        write,
        isTTY: false,
        columns: 80,
        on: () => stream,
        once: () => stream,
        off: () => stream,
      } as unknown as NodeJS.WriteStream;
      try {
        await runCommand(args, { stdout: stream, stderr: stream });
      } catch (error) {
        const { message, exitCode } = endOf(error);
        const flaw = exitCode === 0 || message === "" ? undefined : flawOf(message);
        if (exitCode === 1) return { fault: "raw exception", found: `${JSON.stringify(args)} ${message}` };
        return flaw === undefined
          ? "refused"
          : { fault: "flawed text", found: `${JSON.stringify(args)} ${flaw}: ${message}` };
      }
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
      return /[\x00-\x08\x0b-\x1f\x7f-\x9f]/.test(said.join(""))
        ? wrong(`control characters: ${JSON.stringify(args)}`)
        : "right";
    };
  },
};

const kebab = (name: string) => name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`);

function argumentsOf(
  random: Random,
  commands: readonly string[],
  options: readonly string[],
  folder: string,
): string[] {
  const args = [random.chance(0.9) ? random.pick(commands) : random.pick(VALUES)];
  if (random.chance(0.6)) args.push("--model", folder);
  for (let n = random.below(5); n > 0; n--) {
    const option = random.pick(options);
    // Options that write to disk or take long are not chosen at random.
    if (option !== "out") args.push(random.chance(0.9) ? `--${option}` : `--${option.slice(1)}`);
    if (random.chance(0.8)) args.push(random.pick(VALUES));
  }
  return args;
}
