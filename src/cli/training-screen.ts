/** Shows a training run on stderr: in a terminal the loss curve, redrawn in place; elsewhere a line now and then. */
import type { LineSpec } from "../finding/picture.ts";
import { lineText } from "../report/line-text.ts";
import type { Chance } from "../training/data/tasks.ts";
import type { HeldOutLoss } from "../training/evaluate.ts";
import type { TrainProgress } from "../training/options.ts";
import { type TextOutput, widthOf } from "./terminal.ts";

const REDRAW_AFTER_MS = 250;
const CHART_ROWS = 10;
/** How many lines a whole training run prints where there is no terminal to redraw. */
const LINES = 20;

export interface ScreenOptions {
  readonly chance: Chance;
  readonly color: boolean;
  readonly now?: () => number;
}

export class TrainingScreen {
  private readonly output: TextOutput;
  private readonly chance: Chance;
  private readonly color: boolean;
  private readonly now: () => number;
  private readonly points: { readonly step: number; readonly loss: number }[] = [];
  private readonly heldOut: HeldOutLoss[] = [];
  private drawnAt = Number.NEGATIVE_INFINITY;
  private drawnLines = 0;
  private first: { readonly step: number; readonly time: number } | undefined;

  constructor(output: TextOutput, { chance, color, now = () => performance.now() }: ScreenOptions) {
    this.output = output;
    this.chance = chance;
    this.color = color;
    this.now = now;
  }

  /** After each step. */
  update(progress: TrainProgress): void {
    const { step, steps, loss, heldOut } = progress;
    this.first ??= { step, time: this.now() };
    this.points.push({ step, loss });
    if (heldOut !== undefined) this.heldOut.push({ step, loss: heldOut });
    const due = this.output.isTTY
      ? this.now() - this.drawnAt >= REDRAW_AFTER_MS
      : step % Math.ceil(steps / LINES) === 0 || this.points.length === 1;
    if (!due && step !== steps) return;
    this.drawnAt = this.now();
    if (this.output.isTTY) this.draw(progress);
    else this.output.write(`${this.status(progress)}\n`);
  }

  /** Writes a separate line, above what is drawn next. */
  say(line: string): void {
    const away = this.drawnLines > 0 ? `\x1b[${this.drawnLines}A\r\x1b[J` : "";
    this.output.write(`${away}${line}\n`);
    this.drawnLines = 0;
  }

  private draw(progress: TrainProgress): void {
    const width = Math.min(widthOf(this.output) - 1, 100);
    const roomy = (this.output.rows ?? 24) >= CHART_ROWS + 8 && width >= 40;
    const chart = roomy ? lineText(this.spec(progress.steps), { width, height: CHART_ROWS, color: this.color }) : [];
    const lines = [...chart, this.status(progress, width)];
    const back = this.drawnLines > 0 ? `\x1b[${this.drawnLines}A` : "";
    this.output.write(`${back}${lines.map((line) => `\r\x1b[2K${line}\n`).join("")}`);
    this.drawnLines = lines.length;
  }

  private spec(steps: number): LineSpec {
    const positive = this.points.map(({ loss }) => loss).filter((loss) => loss > 0);
    const all = [...positive, ...this.heldOut.map(({ loss }) => loss)];
    const least = all.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
    const most = all.reduce((a, b) => Math.max(a, b), 0);
    return {
      kind: "line",
      name: "losses",
      title: "Loss",
      series: [
        { name: "batches", x: this.points.map((p) => p.step - 1), y: this.points.map((p) => p.loss) },
        ...(this.heldOut.length > 0
          ? [{ name: "held out", x: this.heldOut.map((p) => p.step), y: this.heldOut.map((p) => p.loss) }]
          : []),
      ],
      x: { label: "steps", domain: [0, steps] },
      y: {
        label: "loss",
        unit: "nats",
        ...(positive.length === this.points.length && most > 50 * least ? { scale: "log" } : {}),
      },
      references: [{ kind: "y", at: this.chance.loss, label: this.chance.name }],
    };
  }

  /** As much as fits, the most important parts first. */
  private status({ step, steps, loss, lr, tokensPerSecond }: TrainProgress, width = 100): string {
    const { step: first, time } = this.first!;
    const each = (this.now() - time) / Math.max(1, step - first);
    const held = this.heldOut.at(-1);
    const parts = [
      `step ${step} of ${steps}`,
      `loss ${short(loss)} nats`,
      ...(held ? [`held out ${short(held.loss)}`] : []),
      ...(step > first && step < steps ? [`${clock((each * (steps - step)) / 1000)} left`] : []),
      `${Math.round(tokensPerSecond).toLocaleString("en")} tokens/s`,
      `lr ${Number(lr.toPrecision(2))}`,
    ];
    while (parts.length > 1 && parts.join(", ").length > width) parts.pop();
    return parts.join(", ");
  }
}

const short = (loss: number): string => (loss < 0.01 ? loss.toExponential(1) : loss.toFixed(3));

/** 75 seconds are "1:15". */
export function clock(seconds: number): string {
  const whole = Math.round(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n: number) => String(n).padStart(2, "0");
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}
