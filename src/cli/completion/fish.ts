/** Completion in fish. */
import { FIRST_OPTIONS, modelNames, type Takes, type TypedCommand, type TypedOption } from "./words.ts";

const quoted = (text: string) => `'${text.replace(/[\\']/g, "\\$&")}'`;

/** What may follow: `-x` takes a value and offers no files, `-r` does with files. */
function value(takes: Takes): string {
  switch (takes.kind) {
    case "files":
      return " -r -F";
    case "folders":
      return " -x -a '(__fish_complete_directories)'";
    case "models":
      return " -x -a '$__glassformer_models (__fish_complete_directories)'";
    case "commands":
      return " -x -a '$__glassformer_commands'";
    case "words":
      return ` -x -a ${quoted(takes.words.join(" "))}`;
    case "text":
      return " -x";
  }
}

function option(within: string, { flag, about, takes }: TypedOption): string {
  return `${within} -l ${flag.slice(2)} -d ${quoted(about)}${takes ? value(takes) : ""}`;
}

function lines({ name, options, argument }: TypedCommand): string[] {
  const within = `complete -c glassformer -n '__fish_seen_subcommand_from ${name}'`;
  // Of an argument `-x` and `-r` would say that something must follow it.
  const place = argument && argument.kind !== "text" ? [`${within}${value(argument).replace(/ -[xr]\b/, "")}`] : [];
  return [...options.map((one) => option(within, one)), ...place];
}

export function fishScript(commands: readonly TypedCommand[]): string {
  const first = "complete -c glassformer -n __fish_use_subcommand";
  return `# Completion of glassformer in fish: glassformer completion fish > ~/.config/fish/completions/glassformer.fish

set -g __glassformer_models ${modelNames().join(" ")}
set -g __glassformer_commands ${commands.map(({ name }) => name).join(" ")}

complete -c glassformer -f
${FIRST_OPTIONS.map((one) => option(first, one)).join("\n")}
${commands.map(({ name, about }) => `${first} -a ${name} -d ${quoted(about)}`).join("\n")}
${commands.flatMap(lines).join("\n")}
`;
}
