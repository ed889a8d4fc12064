/** Where a command writes, how wide, and in which colours. */
import { visibleControls } from "../tensor/visible.ts";

export interface Terminal {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

/** A stream that may be a terminal. */
export interface TextOutput {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}

/** In characters; 80 if unknown. */
export const widthOf = ({ columns }: Pick<TextOutput, "columns">): number => columns || 80;

/** Only a terminal shows colours, and only if the user wants them (no-color.org). */
export const coloured = ({ isTTY }: Pick<TextOutput, "isTTY">): boolean => Boolean(isTTY) && !process.env.NO_COLOR;

/** How a finding is written as text: at most 100 characters wide, as longer lines are hard to read. */
export function textOptions(output: TextOutput): { readonly width: number; readonly color: boolean } {
  return { width: Math.min(widthOf(output), 100), color: coloured(output) };
}

/** As many lines as a small terminal has, with a line for what is typed next. */
const FEW_LINES = 24;

/** The same for a finding in few lines. @param hint how to see the rest */
export function briefOptions(output: TextOutput, hint: string) {
  return { ...textOptions(output), lines: FEW_LINES, hint };
}

/** Writes a line that may contain names and texts from anywhere, with nothing in it that moves the cursor or controls the terminal. */
export function tell(output: Pick<TextOutput, "write">, line: string): void {
  output.write(`${visibleControls(line)}\n`);
}
