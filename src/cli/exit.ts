/** How a command ends: what is written, and the exit code. */
import { CommanderError } from "commander";
import { GlassformerError } from "../tensor/errors.ts";
import { shortened } from "../tensor/show.ts";
import { visibleControls } from "../tensor/visible.ts";

export const OK = 0;
/** A failure of ours. */
export const BUG = 1;
/** Something that was asked for cannot be done as asked. */
export const USER_ERROR = 2;

interface Outcome {
  readonly message: string;
  readonly exitCode: number;
}

/** What to tell of an error, in a sentence or two without a stack, and what to exit with. */
export function outcomeOf(error: unknown): Outcome {
  const { message, exitCode } = rawOutcome(error);
  return { message: shortened(visibleControls(message), 2000), exitCode };
}

function rawOutcome(error: unknown): Outcome {
  if (error instanceof CommanderError) {
    // Help and version throw too; what they print is printed.
    if (error.exitCode === 0) return { message: "", exitCode: OK };
    return { message: error.code === "commander.help" ? "" : oneLine(error.message), exitCode: USER_ERROR };
  }
  if (error instanceof GlassformerError) return { message: error.message, exitCode: USER_ERROR };
  if (isSystemError(error)) return { message: `The system refused: ${error.message}.`, exitCode: USER_ERROR };
  if (
    error instanceof RangeError &&
    /Invalid (typed )?array length|Invalid string length|Array buffer allocation failed/.test(error.message)
  ) {
    return { message: "That does not fit into memory: choose smaller sizes.", exitCode: USER_ERROR };
  }
  const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return {
    message: `This is a bug in glassformer, not your mistake: ${what} (GLASSFORMER_DEBUG=1 shows where.)`,
    exitCode: BUG,
  };
}

/** Commander writes "error: ...", repeats arguments whole in quotes, and puts suggestions on a line of their own. */
function oneLine(message: string): string {
  const text = message
    .replace(/^error: /, "")
    .split("\n")
    .filter((line) => line.trim() !== "")
    .join(" ")
    .replace(/'([^']{120})[^']+'/g, "'$1…'");
  return `${text[0].toUpperCase()}${text.slice(1)}${/[.?)!]$/.test(text) ? "" : "."}`;
}

/** An error of the file system or the network, which Node names by a code and the call that failed. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "syscall" in error && typeof (error as NodeJS.ErrnoException).code === "string";
}
