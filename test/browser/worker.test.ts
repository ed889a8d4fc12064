/** A site whose models run in a worker: built by Vite with nothing configured, opened in a real browser. */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runtimeFolder } from "../../src/cli/web-folders.ts";
import { RUNTIME_FILES } from "../../src/engine/ort-web-runtime.ts";
import * as glassformer from "../../src/node.ts";
import { expectClose } from "../close.ts";
import { chromiumPath, launch, open, type Site, serve } from "./chromium.ts";
import { type Bundled, bundled } from "./installed-site.ts";
import { numbersOf } from "./numbers.ts";
import type { WorkerPage } from "./pages/worker.ts";

declare const worker: WorkerPage;

const golden = JSON.parse(readFileSync(new URL("../goldens/seed_run.json", import.meta.url), "utf8"));
const [{ prompt, per_token_loss }]: { prompt: string; per_token_loss: number[] }[] = golden.prompts;

const flat = (data: readonly number[]) => ({ shape: [data.length], data });

describe.skipIf(!chromiumPath)("models in a worker (skipped without /usr/bin/chromium or CHROMIUM_PATH)", () => {
  let there: Bundled;
  const sites: Site[] = [];
  let browser: Browser;
  let page: Page;
  const lines: string[] = [];

  async function opened(on: Browser, isolated: boolean, search = ""): Promise<[Page, Site]> {
    const site = await serve({
      folders: { "/models": join(there.folder, "models"), "/runtime-1.2": runtimeFolder().path, "": there.dist },
      pages: { "/": "/worker.js" },
      isolated,
    });
    sites.push(site);
    return [await open(on, `${site.url}/${search}`, "worker"), site];
  }

  beforeAll(async () => {
    there = await bundled("worker", ["numbers.ts"]);
    browser = await launch();
    [page] = await opened(browser, false);
    page.on("console", (line) => lines.push(line.text()));
    page.on("pageerror", (error) => lines.push(error.message));
  });
  afterAll(async () => {
    await browser?.close();
    for (const site of sites) await site.close();
    there?.remove();
  });

  test("the losses are those of TransformerLens, and the page itself loads no runtime, but counts the worker's", async () => {
    const found = await page.evaluate((text) => worker.losses(text), prompt);
    expectClose(flat(found), flat(per_token_loss), 1e-4);
    expect(page.workers()).toHaveLength(1);
    const builds = sites[0].requests.filter((path) => /ort[.-].*(js|wasm)$/.test(path));
    expect(builds.filter((path) => path.endsWith(".wasm"))).toHaveLength(1);
    expect(builds.filter((path) => path.includes("bundle"))).toEqual([]);
    const heard = await page.evaluate(() => worker.heard());
    const size = (path: string) => statSync(join(there.folder, "models/solu-1l-novels", path)).size;
    const total = size("model.safetensors") + size("tokenizer.json") + RUNTIME_FILES.cpu.bytes;
    expect(new Set(heard.map((progress) => progress.total))).toEqual(new Set([total]));
    expect(heard.at(-1)).toMatchObject({ done: total });
  });

  test("hooks that await numbers, caches, gradients and an analysis give Node's numbers", async () => {
    const model = await glassformer.HookedTransformer.fromPretrained("gelu-3l-novels");
    const expected = await numbersOf(glassformer, model);
    const found = await page.evaluate(() => worker.numbers());
    expect(found.length).toBe(expected.length);
    found.forEach((numbers, i) => {
      expectClose(flat(numbers), flat(expected[i]), 1e-4);
    });
  });

  test("weights are sent once: a later run sends its tokens", async () => {
    expect(await page.evaluate((text) => worker.sentWith(text), prompt)).toBeLessThan(10_000);
  });

  test("without a compiled graph the worker has no weights: they are sent again", async () => {
    const sent = await page.evaluate((text) => worker.sentAfterDispose(text), prompt);
    expect(sent).toBeGreaterThan(4_000_000);
    expect(await page.evaluate((text) => worker.sentWith(text), prompt)).toBeLessThan(10_000);
  });

  test.each(["float16", "int4"] as const)(
    "weights that are kept as %s are sent so, with Node's numbers",
    async (dtype) => {
      const model = await glassformer.HookedTransformer.fromPretrained("solu-1l-novels", { dtype });
      const expected = await model.forward(prompt, { returnType: "loss", lossPerToken: true });
      const found = await page.evaluate(([text, kept]) => worker.keptLosses(text, kept), [prompt, dtype] as const);
      expectClose(flat(found), flat(Array.from(expected.data)), 1e-4);
    },
  );

  test("the page's timer keeps firing while a prompt is continued, with Node's text", async () => {
    const model = await glassformer.HookedTransformer.fromPretrained("solu-1l-novels");
    const text = await model.generate("The old man looked at", { maxNewTokens: 60, temperature: 0 });
    const found = await page.evaluate(() => worker.generate());
    expect(found.text).toBe(text);
    expect(found.ticks).toBeGreaterThanOrEqual(10);
    if (process.env.SHOW_LONG_TASKS) console.log(`Longest task of the page: ${found.longest} ms`);
  });

  test("an abort is answered immediately, while the worker still computes", async () => {
    expect(await page.evaluate(() => worker.aborted())).toEqual(["AbortError", true]);
  });

  test("what onnxruntime refuses comes back as the error that it is", async () => {
    expect(await page.evaluate(() => worker.refused())).toMatch(/^ShapeError: Index 4 is outside its axis/);
  });

  test("a worker that is killed says so, and the next run starts another", async () => {
    const before = await page.evaluate(() => worker.made());
    const [error, count] = await page.evaluate(() => worker.killed());
    expect(error).toMatch(/^GlassformerError: The worker that computes ended before it answered: .*Run it again/);
    expect(count).toBeGreaterThan(2);
    expect(await page.evaluate(() => worker.made())).toBe(before + 1);
  });

  test("closed workers are started again by the next run", async () => {
    expect((await page.evaluate(() => worker.closed())).length).toBeGreaterThan(2);
  });

  test("nothing was written to the console", () => {
    expect(lines).toEqual([]);
  });

  test("where pages may share memory, the worker has threads of its own", async () => {
    const [isolated, site] = await opened(browser, true);
    const found = await isolated.evaluate((text) => worker.losses(text), prompt);
    expectClose(flat(found), flat(per_token_loss), 1e-4);
    // The runtime starts its threads with the worker's own script.
    expect(site.requests.filter((path) => /ort-wasm-worker.*js$/.test(path)).length).toBeGreaterThan(1);
    await isolated.close();
  });

  test("the runtime comes from the folder that is named, threads too, and from nowhere else", async () => {
    const [elsewhere, site] = await opened(browser, true, "?runtime=./runtime-1.2");
    const found = await elsewhere.evaluate((text) => worker.losses(text), prompt);
    expectClose(flat(found), flat(per_token_loss), 1e-4);
    const files = site.requests.filter((path) => /ort-wasm-simd.*\.m?js$|\.wasm$/.test(path));
    expect(files).toContain("/runtime-1.2/ort-wasm-simd-threaded.wasm");
    expect(files.every((path) => path.startsWith("/runtime-1.2/"))).toBe(true);
    await elsewhere.close();
  });

  test("the worker also computes by WebGPU, with the build that has it", async () => {
    const withGpu = await launch({ webgpu: true });
    try {
      const [gpu, site] = await opened(withGpu, false);
      const found = await gpu.evaluate((text) => worker.losses(text, "webgpu"), prompt);
      expectClose(flat(found), flat(per_token_loss), 1e-3);
      expect(site.requests.filter((path) => path.endsWith(".wasm")).every((path) => path.includes("jsep"))).toBe(true);
    } finally {
      await withGpu.close();
    }
  });
});
