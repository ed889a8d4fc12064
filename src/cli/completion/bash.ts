/** Completion in bash, 3.2 and later, which needs no other package. */
import { FIRST_OPTIONS, modelNames, type Takes, type TypedCommand } from "./words.ts";

/** A word of the script that says what a value can be. */
function valueWord(takes: Takes): string {
  return takes.kind === "words" ? takes.words.join(" ") : `@${takes.kind}`;
}

/** Cases of the same value together: `"train --out"|"train --report") …`. */
function cases(commands: readonly TypedCommand[]): string[] {
  const places = new Map<string, string[]>();
  const add = (value: string, place: string) => places.set(value, [...(places.get(value) ?? []), `"${place}"`]);
  for (const { name, options, argument } of commands) {
    if (argument) add(`${argument.several ? "several" : "one"} ${valueWord(argument)}`, `${name} `);
    for (const { flag, takes, several } of options) {
      if (takes) add(`${several ? "several" : "one"} ${valueWord(takes)}`, `${name} ${flag}`);
    }
  }
  return [...places].map(([value, at]) => `    ${at.join("|")}) takes="${value}" ;;`);
}

export function bashScript(commands: readonly TypedCommand[]): string {
  const names = commands.map(({ name }) => name);
  return `# Completion of glassformer in bash. In ~/.bashrc: source <(glassformer completion bash)

_glassformer_options() {
  case "$1" in
${commands.map(({ name, options }) => `    ${name}) options="${options.map(({ flag }) => flag).join(" ")}" ;;`).join("\n")}
    *) options="${FIRST_OPTIONS.map(({ flag }) => flag).join(" ")}" ;;
  esac
}

_glassformer_takes() {
  takes=
  case "$1 $2" in
${cases(commands).join("\n")}
  esac
}

_glassformer() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" command= option= values=0 options= takes= i word
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    if [[ $word == -* ]]; then option=$word values=0
    elif [[ -z $command ]]; then command=$word
    else values=$((values + 1)); fi
  done
  if [[ -z $command && $cur != -* ]]; then
    COMPREPLY=($(compgen -W "${names.join(" ")}" -- "$cur"))
    return
  fi
  if [[ $cur == -* ]]; then
    _glassformer_options "$command"
    COMPREPLY=($(compgen -W "$options" -- "$cur"))
    return
  fi
  _glassformer_takes "$command" "$option"
  # An option's value, further ones of an option that takes several, or else the command's argument.
  [[ -n $option && -n $takes && ( $values == 0 || $takes == several* ) ]] || _glassformer_takes "$command" ""
  case "\${takes#* }" in
    @files) ;; # an empty answer makes readline complete files
    @folders) compopt -o dirnames 2>/dev/null ;;
    @models) COMPREPLY=($(compgen -W "$_glassformer_models" -- "$cur")) ;;
    @commands) COMPREPLY=($(compgen -W "${names.join(" ")}" -- "$cur")) ;;
    @text|"") compopt +o default 2>/dev/null ;;
    *) COMPREPLY=($(compgen -W "\${takes#* }" -- "$cur")); compopt +o default 2>/dev/null ;;
  esac
}

_glassformer_models="${modelNames().join(" ")}"

complete -o default -F _glassformer glassformer
`;
}
