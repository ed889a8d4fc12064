/** The fuzzer itself: what it calls a fault, and that cases are reproducible. */
import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { jsonOf, mutateBytes, mutateJson } from "../../fuzz/mutate.ts";
import { flawOf, outcomeOf } from "../../fuzz/outcome.ts";
import { Random } from "../../fuzz/random.ts";
import { TARGETS } from "../../fuzz/targets/index.ts";
import { InputError } from "../../src/index.ts";

const fuzz = (...args: string[]) =>
  spawnSync(process.execPath, ["--import", "tsx", "fuzz/run.ts", ...args], { encoding: "utf8" });

test("one of our sentences is a refusal; any other error, a message that is not a sentence, and a wrong result are faults", async () => {
  const outcome = (work: () => unknown, complaint?: string) => outcomeOf(work, () => complaint);
  const fails = (error: Error) => () => {
    throw error;
  };
  expect(await outcome(fails(new InputError("There is no such file.")))).toBe("refused");
  expect(await outcome(() => 5)).toBe("right");
  expect(await outcome(() => 5, "it is six")).toEqual({ fault: "wrong result", found: "it is six" });
  expect(await outcome(fails(new TypeError("x is not a function")))).toMatchObject({ fault: "raw exception" });
  expect(await outcome(fails(new InputError("no sentence")))).toMatchObject({ fault: "flawed text" });
});

test("an acceptable message is short, visible, and not just an engine's error", () => {
  expect(flawOf('There is no hook "hook_mid". Did you mean "mlp.hook_mid"?')).toBeUndefined();
  expect(flawOf("\u001b[2J.")).toBe("control characters");
  expect(flawOf("Cannot read properties of undefined.")).toBe("JavaScript's own words");
  expect(flawOf(`${"long ".repeat(500)}.`)).toBe("2501 characters");
});

test("a case is the same each time, and differs from its neighbours", () => {
  const value = { a: [1, 2, 3], b: { c: "text" } };
  const bytes = new Uint8Array(100);
  const made = (seed: number, i: number) => {
    const random = new Random(seed, i);
    return jsonOf([mutateJson(random, value), [...mutateBytes(random, bytes)]]);
  };
  expect(made(1, 17)).toBe(made(1, 17));
  expect(new Set([made(1, 16), made(1, 17), made(1, 18), made(2, 17)]).size).toBe(4);
});

test("a value that JSON.stringify cannot handle is still written", () => {
  let deep: unknown = { x: [1, "two"] };
  for (let i = 0; i < 50_000; i++) deep = i % 2 ? [deep] : { a: deep };
  const text = jsonOf({ n: 1, deep });
  expect(text.startsWith('{"n":1,"deep":[{"a":')).toBe(true);
  expect(text).toContain('{"x":[1,"two"]}');
});

test("it counts its cases by target, and knows its targets", () => {
  const ran = fuzz("prompts", "--cases", "30");
  expect(ran.stdout).toMatch(/^prompts +30 +\d+ +\d+ +0 +\d+$/m);
  expect(ran.stdout).toMatch(/^30 cases, 0 faults$/m);
  expect(ran.status).toBe(0);
  const unknown = fuzz("promts");
  expect(unknown.stderr).toContain('Did you mean "prompts"?');
  expect(unknown.status).toBe(2);
  expect(new Set(TARGETS.map(({ name }) => name)).size).toBe(TARGETS.length);
});
