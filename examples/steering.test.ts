import { beforeAll, describe, expect, it } from "vitest";
import { HookedTransformer } from "../src/node.ts";
import { steering } from "./steering.ts";

describe("steering by a vector", () => {
  let run: Awaited<ReturnType<typeof steering>>;
  beforeAll(async () => {
    run = await steering();
  });

  it("moves the answer further the more of it is added, in both directions", () => {
    expect(run.differences).toEqual([...run.differences].sort((a, b) => a - b));
    expect(run.differences[0]).toBeLessThan(-4);
    expect(run.differences.at(-1)).toBeGreaterThan(2);
  });

  it("steers the generated text, and 0 times the vector changes nothing", async () => {
    const model = await HookedTransformer.fromPretrained("solu-1l-novels");
    const plain = await model.generate("The doctor was so tired that", { maxNewTokens: 12, doSample: false });
    expect(run.plain).toBe(plain);
    expect(run.towardsShe).toMatch(/ (she|her) /);
    expect(run.towardsHe).toMatch(/ (he|his|him) /);
  });
});
