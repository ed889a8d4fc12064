/** A line on stderr that shows the progress of long work: only in a terminal, and only once it has taken a while. */
import { visibleControls } from "../tensor/visible.ts";
import { type TextOutput, widthOf } from "./terminal.ts";

const SHOW_AFTER_MS = 500;
const REDRAW_AFTER_MS = 80;
const BAR_WIDTH = 24;

export class ProgressBar {
  private readonly output: TextOutput;
  private readonly now: () => number;
  private readonly start: number;
  private drawn = Number.NEGATIVE_INFINITY;
  private shown = false;

  constructor(output: TextOutput, now: () => number = () => performance.now()) {
    this.output = output;
    this.now = now;
    this.start = now();
  }

  /** @param total 0 if it is not known @param show how the numbers are written (default: as they are) */
  update(what: string, done: number, total: number, show: (value: number) => string = String): void {
    const now = this.now();
    if (!this.output.isTTY || now - this.start < SHOW_AFTER_MS || now - this.drawn < REDRAW_AFTER_MS) return;
    this.drawn = now;
    this.shown = true;
    const part = total > 0 ? Math.min(1, done / total) : 0;
    const filled = Math.round(part * BAR_WIDTH);
    const bar = "█".repeat(filled) + "░".repeat(BAR_WIDTH - filled);
    const [share, all] = total > 0 ? [` ${Math.floor(100 * part)} %`, ` of ${show(total)}`] : ["", ""];
    const line = `${bar}${share}  ${visibleControls(what)}: ${show(done)}${all}`;
    this.output.write(`\r\x1b[2K${line.slice(0, widthOf(this.output) - 1)}`);
  }

  /** Removes the line. */
  clear(): void {
    if (this.shown) this.output.write("\r\x1b[2K");
    this.shown = false;
  }
}

/** 12345678 is "12.3 MB". */
export function bytes(count: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(count, 1)) / 3)));
  return power === 0 ? `${count} B` : `${(count / 1000 ** power).toFixed(1)} ${units[power]}`;
}
