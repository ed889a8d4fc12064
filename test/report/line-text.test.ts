import { describe, expect, test } from "vitest";
import type { LineSpec } from "../../src/finding/picture.ts";
import { lineText } from "../../src/report/line-text.ts";
import { shown } from "../ansi.ts";

const spec = (y: readonly (number | null)[], more: Partial<LineSpec> = {}): LineSpec => ({
  ...{ kind: "line", name: "losses", title: "Loss" },
  series: [{ name: "batches", y }],
  ...more,
});

describe("a line chart in characters", () => {
  test("goes from corner to corner, with the ends of both axes", () => {
    const chart = lineText(spec([0, 1, 2, 3], { x: { label: "step" }, y: { label: "loss", unit: "nats" } }), {
      ...{ width: 16, height: 3 },
    });
    expect(chart).toHaveLength(6);
    expect(chart[0]).toBe("    loss (nats)");
    expect(chart[4]).toMatch(/^ +└─{11}$/);
    expect(chart[5]).toMatch(/^ +0 +step 3$/);
    expect(chart[1]).toMatch(/^ *3 ┤ +[⠀-⣿]+$/u);
    expect(chart[3]).toMatch(/^ *0 ┤[⠀-⣿]+ *$/u);
  });

  test("is level for a constant line, and empty for missing numbers", () => {
    const level = lineText(spec([2, 2, 2]), { width: 20, height: 5 });
    expect(level.filter((line) => /[⠁-⣿]/u.test(line))).toHaveLength(1);
    const none = lineText(spec([null, Number.NaN]), { width: 20, height: 5 });
    expect(none.filter((line) => /[⠁-⣿]/u.test(line))).toHaveLength(0);
  });

  test("fits the available width, whatever the numbers are", () => {
    for (const width of [24, 40, 80]) {
      for (const y of [
        [1e-9, 1e9],
        [-5, 5],
        [0.123456789, 0.12345679],
        Array.from({ length: 3000 }, (_, i) => Math.sin(i)),
      ]) {
        for (const scale of ["linear", "log"] as const) {
          const chart = lineText(spec(y, { y: { label: "loss", scale } }), { width, height: 6 });
          expect(Math.max(...chart.map((line) => [...line].length))).toBeLessThanOrEqual(width);
        }
      }
    }
  });

  test("on a log scale draws a power as a straight line, and labels it with the numbers themselves", () => {
    const straight = lineText(spec([3, 2, 1, 0]), { width: 29, height: 6 });
    const power = lineText(spec([1000, 100, 10, 1], { y: { scale: "log" } }), { width: 30, height: 6 });
    const dots = (chart: string[]) => chart.slice(0, 6).map((line) => line.replace(/^[^┤│]*[┤│]/u, "").slice(0, 20));
    expect(dots(power)).toEqual(dots(straight));
    expect(power[0]).toMatch(/^1000 ┤/);
    expect(power[5]).toMatch(/^ +1 ┤/);
  });

  test("distinguishes series and references in a legend, with colours if available", () => {
    const two: LineSpec = {
      ...spec([]),
      series: [
        { name: "batches", y: [3, 2, 1] },
        { name: "held out", x: [0, 2], y: [3, 2.5] },
      ],
      references: [{ kind: "y", at: 2, label: "chance" }],
    };
    const plain = lineText(two, { width: 50, height: 6 });
    expect(plain.at(-1)).toMatch(/━ batches {3}━ held out {3}┈ chance 2$/);
    expect(plain.join()).not.toContain("\x1b");
    const colored = lineText(two, { width: 50, height: 6, color: true });
    expect(colored.at(-1)).toContain("\x1b[34m━ batches\x1b[0m   \x1b[33m━ held out\x1b[0m");
    expect(colored.map(shown)).toEqual(plain);
  });
});
