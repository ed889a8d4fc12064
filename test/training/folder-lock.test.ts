/** One training run at a time writes to a folder, and whatever happens to it, the folder is free afterwards. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { initWeights } from "../../src/models/weights/init.ts";
import { HookedTransformer, parseConfig } from "../../src/node.ts";
import { ArgumentError } from "../../src/tensor/errors.ts";
import { folderCheckpoints } from "../../src/training/node-checkpoints.ts";
import { train } from "../../src/training/train.ts";

const cfg = parseConfig({ n_layers: 1, d_model: 8, d_head: 4, n_ctx: 8, d_vocab: 12, act_fn: "relu" });
const data = { dtype: "int32" as const, shape: [6, 5], data: Int32Array.from({ length: 30 }, (_, i) => (i * 5) % 12) };
const child = fileURLToPath(new URL("train-child.ts", import.meta.url));

let folder: string;
let out: string;
const running: ChildProcess[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "glassformer-training-"));
  out = join(folder, "deep", "out");
});
afterEach(async () => {
  for (const process of running.splice(0)) process.kill("SIGKILL");
  await rm(folder, { recursive: true });
});

const trained = (more: object = {}, controls = {}) =>
  train(
    new HookedTransformer(cfg, initWeights(cfg)),
    { data, batchSize: 4, steps: 3, saveDir: out, ...more },
    controls,
  );

/** Another process, once it trains. */
async function other(steps: number): Promise<{ process: ChildProcess; ended: Promise<number | null> }> {
  const process_ = spawn(process.execPath, ["--import", "tsx", child, out, String(steps)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  running.push(process_);
  const ended = new Promise<number | null>((resolve) => process_.on("close", resolve));
  await new Promise((resolve) => process_.stdout.once("data", resolve));
  return { process: process_, ended };
}

test("a second training run into a folder is refused while the first is running, in this process or another", async () => {
  let second: unknown;
  await trained({}, { onProgress: async () => (second ??= await trained().catch((error) => error)) });
  expect(second).toBeInstanceOf(ArgumentError);
  expect((second as Error).message).toMatch(
    /Another training run is writing to .*out \(this process\): wait until it has ended/,
  );

  const first = await other(1_000_000);
  const told = new RegExp(`out \\(process ${first.process.pid} on ${hostname()}\\)`);
  await expect(trained({ steps: 5 })).rejects.toThrow(told);
  await expect(trained({ steps: 5, resume: out })).rejects.toThrow(told);
  await expect(folderCheckpoints(out).check()).rejects.toThrow(told);
  expect(await readdir(out)).toContain("step-0000003");
  first.process.kill("SIGKILL");
  await first.ended;
  expect((await trained({ steps: 5, resume: out })).losses).toHaveLength(5);
  expect((await readdir(out)).sort()).toEqual(["step-0000003", "step-0000005"]);
});

test("a killed training run leaves a folder that the next one can use", async () => {
  for (let times = 0; times < 3; times++) {
    const first = await other(1_000_000);
    first.process.kill("SIGKILL");
    await first.ended;
    expect(existsSync(join(out, ".training.lock"))).toBe(true);
  }
  await trained();
  expect(await readdir(out)).toEqual(["step-0000003"]);
});

test("a lock of another machine is valid for ten minutes after its last sign of life, an empty one for half a minute", async () => {
  await trained();
  const lock = join(out, ".training.lock");
  const left = async (content: string, minutes: number) => {
    await writeFile(lock, content);
    const then = new Date(Date.now() - minutes * 60_000);
    await utimes(lock, then, then);
  };
  const elsewhere = JSON.stringify({ pid: 1, host: "elsewhere", started: "1", token: "x" });
  await left(elsewhere, 9);
  await expect(trained({ steps: 4, resume: out })).rejects.toThrow(/out \(process 1 on elsewhere\)/);
  expect(await readFile(lock, "utf8")).toBe(elsewhere);
  await left(elsewhere, 11);
  await trained({ steps: 4, resume: out });
  await left("", 0);
  await expect(trained({ steps: 5, resume: out })).rejects.toThrow(/out \(another process\)/);
  for (const content of ["", "{", "null", '{"pid": -1}', "[1]"]) {
    await left(content, 1);
    await trained({ steps: 4, resume: out });
  }
  expect(existsSync(lock)).toBe(false);
});

test("a training run that cannot start removes its folder again", async () => {
  await expect(trained({ steps: 0.5 })).rejects.toThrow();
  expect(await readdir(folder)).toEqual([]);
});
