/** A scan on stderr: a line that is redrawn in a terminal, a line now and then elsewhere. */

import { type TextOutput, widthOf } from "../terminal.ts";
import { clock } from "../training-screen.ts";

const REDRAW_AFTER_MS = 250;
/** Without a terminal, a line is printed after this time. */
const LINE_AFTER_MS = 10_000;

export class ScanScreen {
  private readonly output: TextOutput;
  private readonly total: number;
  private readonly start = performance.now();
  private drawnAt = Number.NEGATIVE_INFINITY;
  private shown = false;
  /** Of this process: bytes and tokens of shards that are complete. */
  private bytes = 0;
  private tokens = 0;

  /** @param bytes of all parts that are to be done */
  constructor(output: TextOutput, bytes: number) {
    this.output = output;
    this.total = bytes;
  }

  /** Part of a shard is done. @param tokens that this process did of it */
  update(shard: number, shards: number, part: { readonly bytes: number }, tokens: number): void {
    const now = performance.now();
    const due = now - this.drawnAt > (this.output.isTTY ? REDRAW_AFTER_MS : LINE_AFTER_MS);
    if (!due) return;
    this.drawnAt = now;
    const seconds = (now - this.start) / 1000;
    // Before the first shard is complete, a token is taken to be four bytes.
    const perToken = this.tokens > 0 ? this.bytes / this.tokens : 4;
    const done = this.bytes + Math.min(part.bytes, tokens * perToken);
    const all = this.tokens + tokens;
    const left = done > 0 ? (seconds * (this.total - done)) / done : Number.NaN;
    const words = [
      `shard ${shard + 1} of ${shards}`,
      `${Math.floor((100 * done) / this.total)} %`,
      `${all.toLocaleString("en")} tokens`,
      `${Math.round(all / seconds).toLocaleString("en")} tokens/s`,
      ...(Number.isFinite(left) ? [`${clock(left)} left`] : []),
    ];
    while (words.length > 1 && words.join(", ").length >= widthOf(this.output)) words.pop();
    this.output.write(this.output.isTTY ? `\r\x1b[2K${words.join(", ")}` : `${words.join(", ")}\n`);
    this.shown = true;
  }

  /** A shard is complete. */
  complete(part: { readonly bytes: number }, tokens: number): void {
    this.bytes += part.bytes;
    this.tokens += tokens;
  }

  /** What was done, in words. */
  end(): string {
    if (this.output.isTTY && this.shown) this.output.write("\r\x1b[2K");
    const seconds = (performance.now() - this.start) / 1000;
    const speed = Math.round(this.tokens / seconds).toLocaleString("en");
    return `${this.tokens.toLocaleString("en")} tokens in ${clock(seconds)}, ${speed} per second`;
  }
}
