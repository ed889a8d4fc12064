/** Where a command writes, how wide, and in which colours. */
import { visibleControls } from "../tensor/visible.ts";

/** A stream that may be a terminal. */
export interface TextOutput {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}

export interface Terminal {
  /** For results. */
  readonly stdout: TextOutput;
  /** For everything else. */
  readonly stderr: TextOutput;
  /** Never colours, whatever the environment says. */
  readonly plain?: boolean;
}

/** A terminal as `--quiet` and `--no-color` make it. Errors are not written by commands, and appear all the same. */
export function heeding(terminal: Terminal, quiet: boolean, plain: boolean): Terminal {
  return { ...terminal, plain, ...(quiet ? { stderr: { write: () => true } } : {}) };
}

/** In characters; 80 if unknown. */
export const widthOf = ({ columns }: Pick<TextOutput, "columns">): number => columns || 80;

/**
 * Whether to write colours: in a terminal, unless NO_COLOR is set (no-color.org); everywhere if FORCE_COLOR is set (force-color.org),
 * which wins over NO_COLOR, as in Node; nowhere if it is 0, or with --no-color.
 */
export function coloured({ isTTY }: Pick<TextOutput, "isTTY">, { plain }: Pick<Terminal, "plain"> = {}): boolean {
  const { FORCE_COLOR, NO_COLOR, TERM } = process.env;
  if (plain) return false;
  if (FORCE_COLOR) return !["0", "false"].includes(FORCE_COLOR);
  return Boolean(isTTY) && !NO_COLOR && TERM !== "dumb";
}

/** How results are written as text: at most 100 characters wide, as longer lines are hard to read. */
export function textOptions(terminal: Terminal): { readonly width: number; readonly color: boolean } {
  const { stdout } = terminal;
  return { width: Math.min(widthOf(stdout), 100), color: coloured(stdout, terminal) };
}

/** As many lines as a small terminal has, with a line for what is typed next. */
const FEW_LINES = 24;

/** The same for a finding in few lines. @param hint how to see the rest */
export function briefOptions(terminal: Terminal, hint: string) {
  return { ...textOptions(terminal), lines: FEW_LINES, hint };
}

/** Writes a line that may contain names and texts from anywhere, with nothing in it that moves the cursor or controls the terminal. */
export function tell(output: Pick<TextOutput, "write">, line: string): void {
  output.write(`${visibleControls(line)}\n`);
}
