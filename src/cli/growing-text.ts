/** A text that is printed as it grows. */
import { visibleControls } from "../tensor/visible.ts";
import { coloured, type Terminal } from "./terminal.ts";

export class GrowingText {
  private readonly terminal: Terminal;
  private readonly whole: () => string;
  /** How much of the text has been printed; undefined before `begin`. */
  private printed: number | undefined;

  /** @param whole the text so far, whose beginning stays as it is, except for a character of which a part is missing */
  constructor(terminal: Terminal, whole: () => string) {
    this.terminal = terminal;
    this.whole = whole;
  }

  /** Prints what there is before the text grows, faintly. Later calls do nothing. */
  begin(): void {
    if (this.printed !== undefined) return;
    const text = this.whole();
    const faint = coloured(this.terminal.stdout, this.terminal);
    this.write(faint ? `\x1b[2m${visibleControls(text)}\x1b[22m` : visibleControls(text));
    this.printed = text.length;
  }

  /** Prints what has been added, as far as its characters are complete. */
  more(): void {
    const text = this.whole();
    const complete = text.replace(/\ufffd+$/, "").length;
    this.upTo(text, Math.max(complete, this.printed!));
  }

  /** Prints the rest, and ends the line. */
  end(): void {
    const text = this.whole();
    this.upTo(text, text.length);
    this.write("\n");
  }

  private upTo(text: string, end: number): void {
    this.write(visibleControls(text.slice(this.printed, end)));
    this.printed = end;
  }

  private write(text: string): void {
    if (text !== "") this.terminal.stdout.write(text);
  }
}
