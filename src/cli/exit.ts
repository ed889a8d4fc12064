/** How a command ends: its last message and its exit code. */
import { CommanderError } from "commander";
import { GlassformerError } from "../tensor/errors.ts";
import { shortened } from "../tensor/show.ts";
import { visibleControls } from "../tensor/visible.ts";

export const OK = 0;
/** A bug in glassformer. */
export const BUG = 1;
/** The request cannot be carried out as written. */
export const USER_ERROR = 2;

interface Outcome {
  readonly message: string;
  readonly exitCode: number;
}

/** An error as a sentence or two without a stack, and the exit code. */
export function outcomeOf(error: unknown): Outcome {
  const { message, exitCode } = rawOutcome(error);
  return { message: shortened(visibleControls(message), 2000), exitCode };
}

function rawOutcome(error: unknown): Outcome {
  if (error instanceof CommanderError) {
    // Help and version throw too, after they have printed.
    if (error.exitCode === 0) return { message: "", exitCode: OK };
    const quotes = error.code === "commander.excessArguments" ? " A text of several words needs quotes." : "";
    const message = error.code === "commander.help" ? "" : oneLine(error.message) + quotes;
    return { message, exitCode: USER_ERROR };
  }
  if (error instanceof GlassformerError) return { message: error.message, exitCode: USER_ERROR };
  if (isSystemError(error)) return { message: `The system refused: ${error.message}.`, exitCode: USER_ERROR };
  if (
    error instanceof RangeError &&
    /Invalid (typed )?array length|Invalid string length|Array buffer allocation failed/.test(error.message)
  ) {
    return { message: "That does not fit in memory: choose smaller sizes.", exitCode: USER_ERROR };
  }
  const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return {
    message: `This is a bug in glassformer, not your mistake: ${what} (Set GLASSFORMER_DEBUG=1 to see where.)`,
    exitCode: BUG,
  };
}

/** Commander writes "error: ...", repeats whole arguments in quotes, and puts suggestions on a separate line. */
function oneLine(message: string): string {
  const text = message
    .replace(/^error: /, "")
    .split("\n")
    .filter((line) => line.trim() !== "")
    .join(" ")
    .replace(/'([^']{120})[^']+'/g, "'$1…'");
  return `${text[0].toUpperCase()}${text.slice(1)}${/[.?)!]$/.test(text) ? "" : "."}`;
}

/** An error of the file system or the network, for which Node gives a code and the call that failed. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "syscall" in error && typeof (error as NodeJS.ErrnoException).code === "string";
}
