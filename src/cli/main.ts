#!/usr/bin/env node
/** The `glassformer` command: results on stdout, everything else on stderr. Exit codes: 0, 1 for a bug, 2 for a user error. */
import { outcomeOf } from "./exit.ts";
import { runCommand } from "./program.ts";
import { tell } from "./terminal.ts";

// The reader of the results may stop reading: `glassformer ... | head`.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  const { message, exitCode } = outcomeOf(error);
  tell(process.stderr, `glassformer: The results could not be written to standard output. ${message}`);
  process.exit(exitCode);
});

// The reader of the progress messages may stop reading too; the work continues.
process.stderr.on("error", () => {});

try {
  await runCommand(process.argv.slice(2), { stdout: process.stdout, stderr: process.stderr });
} catch (error) {
  const { message, exitCode } = outcomeOf(error);
  if (message) tell(process.stderr, `glassformer: ${message}`);
  if (process.env.GLASSFORMER_DEBUG && error instanceof Error) tell(process.stderr, `${error.stack}`);
  process.exitCode = exitCode;
}
