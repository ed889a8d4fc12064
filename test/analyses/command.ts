/** Runs an analysis as its command does, in this process, and collects what it writes. */
import { runCommand } from "../../src/cli/program.ts";

export interface Ran {
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `glassformer` with these arguments at 80 columns. @throws whatever the command throws */
export async function command(...args: readonly string[]): Promise<Ran> {
  let stdout = "";
  let stderr = "";
  const stream = (write: (text: string) => void) => ({ columns: 80, isTTY: false, write }) as never;
  await runCommand(args, {
    stdout: stream((text) => (stdout += text)),
    stderr: stream((text) => (stderr += text)),
  });
  return { stdout, stderr };
}

/** The longest line of a text. */
export function widest(text: string): number {
  return Math.max(...text.split("\n").map((line) => [...line].length));
}
