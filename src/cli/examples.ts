/** The examples at the end of a command's help. */

import { dashed } from "../options/written.ts";

/** As wide as help is on most terminals. */
const WIDTH = 80;

/** "Example:", and commands as typed after `glassformer`, each in lines that fit, as a shell reads them together. */
export function examples(...commands: readonly string[]): string {
  const lines = commands.flatMap((command) => shellLines(`$ glassformer ${command}`));
  return [`\nExample${commands.length > 1 ? "s" : ""}:`, ...lines.map((line) => `  ${line}`)].join("\n");
}

/** A command in lines that end in a backslash where another follows, broken before options. */
function shellLines(command: string): string[] {
  const lines: string[] = [];
  // The indentation, and a space and a backslash.
  const room = WIDTH - 2 - 2;
  for (const part of command.split(/ (?=--)/)) {
    const longer = lines.length === 0 ? part : `${lines.at(-1)} ${part}`;
    if (longer.length <= room) lines[Math.max(lines.length - 1, 0)] = longer;
    else lines.push(`    ${part}`);
  }
  return lines.map((line, i) => (i < lines.length - 1 ? `${line} \\` : line));
}

/** Options as arguments of a command: `{ excludeBos: true, layers: [0, 1] }` is `--exclude-bos --layers 0 1`. */
export function exampleArguments(options: object): string[] {
  return Object.entries(options).flatMap(([name, value]) => {
    return value === true ? [dashed(name)] : [dashed(name), ...[value].flat().map(quotedForShell)];
  });
}

/** A word as a shell reads it. */
function quotedForShell(word: unknown): string {
  return typeof word === "string" && !/^[\w.-]+$/.test(word) ? JSON.stringify(word) : `${word}`;
}
