#!/usr/bin/env node
/** The `glassformer` command: results on stdout, all else on stderr. Exit codes: 0, 1 for a bug, 2 for a user's error. */
import { Interrupted, outcomeOf, SIGNALS } from "./exit.ts";
import { runCommand } from "./program.ts";

/** After a signal, work that does not look at it (a run inside the engine) has this long to come to an end. */
const GRACE_MS = 2000;

const controller = new AbortController();
let patient = false;
const onSignal = (signal: NodeJS.Signals) => {
  const interrupted = new Interrupted(signal as (typeof SIGNALS)[number]);
  if (controller.signal.aborted) process.exit(interrupted.exitCode);
  controller.abort(interrupted);
  if (!patient) setTimeout(() => process.exit(interrupted.exitCode), GRACE_MS).unref();
};
for (const signal of SIGNALS) process.on(signal, onSignal);
// Whoever reads the results may stop reading: `glassformer ... | head`.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  const { message, exitCode } = outcomeOf(error);
  process.stderr.write(`glassformer: The results could not be written to standard output. ${message}\n`);
  process.exit(exitCode);
});

// Whoever reads what is told on the way may stop reading, too; the work goes on.
process.stderr.on("error", () => {});

try {
  await runCommand(process.argv.slice(2), {
    stdout: process.stdout,
    stderr: process.stderr,
    signal: controller.signal,
    finishOnSignal: () => {
      patient = true;
    },
    busy: async (work) => {
      // Signals that came before are looked at first: the second turn of the loop has seen them.
      for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
      controller.signal.throwIfAborted();
      for (const signal of SIGNALS) process.off(signal, onSignal);
      try {
        return work();
      } finally {
        for (const signal of SIGNALS) process.on(signal, onSignal);
      }
    },
  });
} catch (thrown) {
  const error = controller.signal.aborted ? controller.signal.reason : thrown;
  const { message, exitCode } = outcomeOf(error);
  if (message) process.stderr.write(`glassformer: ${message}\n`);
  if (process.env.GLASSFORMER_DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  process.exitCode = exitCode;
}
