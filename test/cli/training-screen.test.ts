import { describe, expect, it } from "vitest";
import { clock, TrainingScreen } from "../../src/cli/training-screen.ts";
import type { TrainProgress } from "../../src/training/options.ts";
import { shown } from "../ansi.ts";

const chance = { name: "token frequencies", text: "", loss: 6 };

function screen(output: { isTTY: boolean; columns?: number; rows?: number }) {
  const written: string[] = [];
  const time = { now: 0 };
  const made = new TrainingScreen(
    { ...output, write: (text) => written.push(text) },
    { chance, color: false, now: () => time.now },
  );
  const step = (n: number, heldOut?: number) => {
    time.now = 1000 * n;
    const progress = {
      step: n,
      steps: 100,
      loss: 8 - n / 50,
      lr: 3e-3,
      tokens: n,
      tokensPerSecond: 12345.6,
      gradNorm: 1,
    };
    made.update({
      ...progress,
      ...(heldOut === undefined ? {} : { heldOut }),
      model: () => null as never,
    } satisfies TrainProgress);
  };
  return { made, written, step, time };
}

describe("the training screen", () => {
  it("draws the curve in a terminal, and redraws it in place", () => {
    const { written, step } = screen({ isTTY: true, columns: 80, rows: 40 });
    step(1);
    step(2, 7.5);
    const lines = written[0].split("\n");
    expect(lines[0]).toContain("loss (nats)");
    expect(lines.at(-2)).toContain("step 1 of 100, loss 7.980 nats, 12,346 tokens/s, lr 0.003");
    expect(written[0]).toContain("┈ token frequencies 6");
    expect(written[1].startsWith(`\x1b[${lines.length - 1}A\r\x1b[2K`)).toBe(true);
    expect(written[1]).toContain("step 2 of 100, loss 7.960 nats, held out 7.500, 1:38 left");
    for (const text of written) {
      for (const line of shown(text).split("\n")) expect([...line].length).toBeLessThan(81);
    }
  });

  it("does not draw faster than the eye can see, but always draws the end", () => {
    const { written, step, time } = screen({ isTTY: true, columns: 80, rows: 40 });
    step(1);
    time.now = 1001;
    for (const n of [1.1, 1.2, 1.24]) step(n);
    expect(written).toHaveLength(1);
    step(100);
    expect(written.at(-1)).toContain("step 100 of 100");
  });

  it("leaves out the chart where there is no room for it, and the parts of the line that do not fit", () => {
    for (const size of [
      { columns: 80, rows: 10 },
      { columns: 30, rows: 50 },
    ]) {
      const { written, step } = screen({ isTTY: true, ...size });
      step(1);
      expect(written[0].split("\n")).toHaveLength(2);
      expect(shown(written[0]).trim().length).toBeLessThan(size.columns);
    }
  });

  it("writes a line now and then where there is no terminal", () => {
    const { written, step } = screen({ isTTY: false });
    for (let n = 1; n <= 100; n++) step(n);
    expect(written).toHaveLength(21);
    expect(written[0]).toMatch(/^step 1 of 100, loss 7\.980 nats, .*\n$/);
    expect(written.join("")).not.toContain("\x1b");
  });

  it("prints messages above the chart and redraws it below", () => {
    const { made, written, step } = screen({ isTTY: true, columns: 80, rows: 40 });
    step(1);
    const lines = written[0].split("\n").length - 1;
    made.say("Stopping.");
    expect(written[1]).toBe(`\x1b[${lines}A\r\x1b[JStopping.\n`);
    step(2);
    expect(written[2].startsWith("\r\x1b[2K")).toBe(true);
  });

  it("shows times as clocks do", () => {
    expect([clock(0.4), clock(75), clock(3725)]).toEqual(["0:00", "1:15", "1:02:05"]);
  });
});
