import { describe, expect, it } from "vitest";
import { bytes, ProgressBar } from "../../src/cli/progress-bar.ts";

function bar(isTTY: boolean) {
  const written: string[] = [];
  const clock = { now: 0 };
  const made = new ProgressBar({ isTTY, columns: 60, write: (text) => written.push(text) }, () => clock.now);
  return { made, written, clock };
}

describe("the progress bar", () => {
  it("appears in a terminal once the work has taken a while, fits the width, and disappears", () => {
    const { made, written, clock } = bar(true);
    made.update("tokens", 1, 100);
    expect(written).toEqual([]);
    clock.now = 600;
    made.update("model.safetensors", 2_500_000, 10_000_000, bytes);
    expect(written[0]).toContain("25 %  model.safetensors: 2.5 MB");
    expect(written[0].length).toBeLessThanOrEqual(60 + "\r\x1b[2K".length);
    made.update("tokens", 51, 100);
    expect(written).toHaveLength(1); // too soon after the last
    made.clear();
    expect(written.at(-1)).toBe("\r\x1b[2K");
  });

  it("has neither a share nor a total where nobody knows it", () => {
    const { made, written, clock } = bar(true);
    clock.now = 600;
    made.update("model.safetensors", 2_500_000, 0, bytes);
    expect(written[0]).toMatch(/░ {2}model\.safetensors: 2\.5 MB$/);
  });

  it("writes nothing where there is no terminal", () => {
    const { made, written, clock } = bar(false);
    clock.now = 10_000;
    made.update("tokens", 1, 2);
    made.clear();
    expect(written).toEqual([]);
  });
});
