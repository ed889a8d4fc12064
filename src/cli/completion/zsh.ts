/** Completion in zsh. */
import { FIRST_OPTIONS, modelNames, type Takes, type TypedCommand, type TypedOption } from "./words.ts";

const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
/** In a description in brackets. */
const escaped = (text: string) => text.replace(/[[\]:\\]/g, "\\$&");

function action(takes: Takes): string {
  switch (takes.kind) {
    case "files":
      return "_files";
    case "folders":
      return "_files -/";
    case "models":
      return "_glassformer_models";
    case "commands":
      return "_glassformer_commands";
    case "words":
      return `(${takes.words.join(" ")})`;
    case "text":
      return " ";
  }
}

function spec({ flag, about, takes, several }: TypedOption): string {
  const value = takes ? `: :${action(takes)}` : "";
  return quoted(`${several ? "*" : ""}${flag}[${escaped(about)}]${value}`);
}

function command({ name, options, argument }: TypedCommand): string {
  const place = argument ? [quoted(`${argument.several ? "*" : "1"}: :${action(argument)}`)] : [];
  return `    ${name})\n      _arguments ${[...options.map(spec), ...place].join(" \\\n        ")} ;;`;
}

export function zshScript(commands: readonly TypedCommand[]): string {
  return `#compdef glassformer
# Completion of glassformer in zsh. In ~/.zshrc, after compinit: source <(glassformer completion zsh)

_glassformer_models() {
  local -a names=(${modelNames().join(" ")})
  _alternative 'models:model:compadd -a names' 'folders:folder:_files -/'
}

_glassformer_commands() {
  local -a commands=(
${commands.map(({ name, about }) => `    ${quoted(`${name}:${about.replaceAll(":", "\\:")}`)}`).join("\n")}
  )
  _describe command commands
}

_glassformer() {
  local curcontext="$curcontext" state line
  _arguments -C ${FIRST_OPTIONS.map(spec).join(" ")} '1: :_glassformer_commands' '*:: :->rest'
  [[ $state == rest ]] || return
  case $words[1] in
${commands.map(command).join("\n")}
  esac
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  _glassformer "$@"
else
  compdef _glassformer glassformer
fi
`;
}
