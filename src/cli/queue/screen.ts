/** A scan over a queue on stderr: a line that is redrawn in a terminal, a line now and then elsewhere. */
import { type TextOutput, widthOf } from "../terminal.ts";
import { clock } from "../training-screen.ts";

/** Without a terminal, a line is printed after this time. */
const LINE_AFTER_MS = 10_000;

/** What there is to see. */
export interface QueueProgress {
  readonly done: number;
  readonly shards: number;
  readonly setAside: number;
  readonly tokensPerSecond: number;
  readonly workers: number;
  readonly paused: boolean;
}

export class QueueScreen {
  private readonly output: TextOutput;
  private readonly start = performance.now();
  private readonly doneBefore: number;
  private linedAt = Number.NEGATIVE_INFINITY;
  private shown = false;

  /** @param doneBefore shards that were done when it began */
  constructor(output: TextOutput, doneBefore: number) {
    this.output = output;
    this.doneBefore = doneBefore;
  }

  update(progress: QueueProgress): void {
    const now = performance.now();
    if (!this.output.isTTY && now - this.linedAt < LINE_AFTER_MS) return;
    this.linedAt = now;
    const words = this.words(progress, (now - this.start) / 1000);
    while (words.length > 1 && words.join(", ").length >= widthOf(this.output)) words.pop();
    this.output.write(this.output.isTTY ? `\r\x1b[2K${words.join(", ")}` : `${words.join(", ")}\n`);
    this.shown = true;
  }

  private words(
    { done, shards, setAside, tokensPerSecond, workers, paused }: QueueProgress,
    seconds: number,
  ): string[] {
    const here = done - this.doneBefore;
    const left = here > 0 ? (seconds * (shards - done - setAside)) / here : Number.NaN;
    return [
      `${done} of ${shards} shards`,
      `${Math.floor((100 * done) / shards)} %`,
      ...(paused ? ["paused"] : []),
      `${workers} worker${workers === 1 ? "" : "s"}`,
      `${Math.round(tokensPerSecond).toLocaleString("en")} tokens/s`,
      ...(Number.isFinite(left) && !paused ? [`${clock(left)} left`] : []),
      ...(setAside > 0 ? [`${setAside} set aside`] : []),
    ];
  }

  /** A line of its own. */
  clear(): void {
    if (this.output.isTTY && this.shown) this.output.write("\r\x1b[2K");
    this.shown = false;
  }
}
