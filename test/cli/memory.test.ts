import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Cli } from "./process.ts";

let cli: Cli;
beforeAll(async () => {
  cli = await Cli.build();
});
afterAll(() => cli.remove());

describe("what does not fit in memory ends with a sentence and exit code 2", () => {
  const asked: Readonly<Record<string, [RegExp, readonly string[]]>> = {
    "a run over --memory": [
      /^glassformer: This run needs about [\d.]+ kB of memory at one time \(.*\), but may use only 10 kB: .*--memory of a command\)\.\n$/,
      ["test-prompt", "--memory", "0.00001"],
    ],
    "a training step over --memory": [
      /^glassformer: Training on batches of 32 × 65 tokens needs about [\d.]+ MB .* but may use only 1 MB: give fewer rows per step/,
      ["train", "--task", "repeated-tokens", "--steps", "1", "--out", "small", "--memory", "0.001"],
    ],
    "batches beyond the machine": [
      /^glassformer: .*When training: give fewer rows per step \(batchSize; --batch-size\)/s,
      ["train", "--task", "repeated-tokens", "--steps", "1", "--out", "rows", "--batch-size", "100000000"],
    ],
    "rows beyond the machine": [
      /^glassformer: (Training on batches of|Attention from|The configuration)/,
      ["train", "--task", "repeated-tokens", "--steps", "1", "--out", "length", "--length", "10000000"],
    ],
    "a model beyond the machine": [
      /^glassformer: (Training on batches of .* weights alone are|The configuration)/,
      ["train", "--task", "repeated-tokens", "--steps", "1", "--out", "width", "--d-model", "1000000"],
    ],
    "an amount of memory that is not one": [/--memory <GB>.*above 0/s, ["logit-lens", "--memory", "0"]],
  };
  for (const [what, [message, args]] of Object.entries(asked)) {
    test(what, async () => {
      const { code, stderr, stdout } = await cli.run(args);
      expect(stderr).toMatch(message);
      expect(code).toBe(2);
      expect(stdout).toBe("");
      for (const folder of ["small", "rows", "length", "width"]) {
        expect(existsSync(join(cli.folder, folder))).toBe(false);
      }
    });
  }
});

test("a command that works in parts prints the same with little memory", async () => {
  const args = ["logit-lens", "--prompt", "The cat sat on the mat.", "--json"];
  const [usual, little] = [await cli.run(args), await cli.run([...args, "--memory", "0.02"])];
  expect(little.code).toBe(0);
  const table = (text: string) => JSON.parse(text).tables[0].columns.slice(0, 3);
  expect(table(little.stdout)).toEqual(table(usual.stdout));
});

/** How much a process grows in a run, and how much was planned: two numbers of bytes. Only Linux reports the first. */
const GROWTH = `
import { readFileSync } from "node:fs";
const { Engine, HookedTransformer, initWeights, nodeBackend, parseConfig } = await import(process.env.GLASSFORMER);
const status = (field) => 1024 * Number(new RegExp(field + ":\\\\s+(\\\\d+)").exec(readFileSync("/proc/self/status", "utf8"))[1]);
const engine = new Engine(nodeBackend());
const plannedBytes = [];
const run = engine.run.bind(engine);
engine.run = (outputs, options) => (plannedBytes.push(engine.plannedBytes(outputs)), run(outputs, options));
const cfg = parseConfig({ n_layers: 2, d_model: 64, n_ctx: 512, d_head: 16, n_heads: 4, d_vocab: 20000, act_fn: "relu", normalization_type: "LN", seed: 1 });
const model = new HookedTransformer(cfg, initWeights(cfg), { engine });
const rows = (count, length) => Array.from({ length: count }, () => Array.from({ length }, (_, i) => i));
await model.forward(rows(4, 8));
const before = status("VmRSS");
plannedBytes.length = 0;
await ({
  logits: () => model.forward(rows(16, 256)),
  loss: () => model.forward(rows(16, 256), { returnType: "loss" }),
  attention: () => model.forward(rows(16, 512), { logitsPos: -1 }),
  cache: () => model.runWithCache(rows(16, 256)),
  gradients: () => model.runWithCache(rows(8, 256), { inclBwd: true, returnType: "loss" }),
})[process.env.RUN]();
console.log(JSON.stringify([status("VmHWM") - before, Math.max(...plannedBytes)]));
`;

describe.skipIf(process.platform !== "linux")("a run is planned to take about as much as the process grows", () => {
  test.each(["logits", "loss", "attention", "cache", "gradients"])("%s", async (run) => {
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", GROWTH], {
      env: { ...process.env, GLASSFORMER: pathToFileURL(join(cli.there.folder, "dist/node.js")).href, RUN: run },
    });
    const [grown, planned] = JSON.parse(stdout);
    expect(planned).toBeGreaterThan(200e6);
    expect(grown / planned).toBeGreaterThan(0.3);
    expect(grown / planned).toBeLessThan(1.5);
  });
});
