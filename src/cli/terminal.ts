/** What a command writes to, how wide and in what colours. */
import { visibleControls } from "../tensor/visible.ts";

export interface Terminal {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

/** A stream that may be a terminal's. */
export interface TextOutput {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}

/** In characters: 80 where nobody says. */
export const widthOf = ({ columns }: Pick<TextOutput, "columns">): number => columns || 80;

/** Only a terminal shows colours, and only to those who want them (no-color.org). */
export const coloured = ({ isTTY }: Pick<TextOutput, "isTTY">): boolean => Boolean(isTTY) && !process.env.NO_COLOR;

/** How a finding is written as text: lines longer than 100 characters are hard to read. */
export function textOptions(output: TextOutput): { readonly width: number; readonly color: boolean } {
  return { width: Math.min(widthOf(output), 100), color: coloured(output) };
}

/** Writes a line that may hold names and texts from anywhere: nothing in it moves the cursor or speaks to the terminal. */
export function tell(output: Pick<TextOutput, "write">, line: string): void {
  output.write(`${visibleControls(line)}\n`);
}
