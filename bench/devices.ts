/**
 * Models in Node and in a page in Chromium: on WebAssembly with one thread and with several, in a worker, and on WebGPU, with logits compared to
 * those of Node's processor. On a graphics processor made of software only the bundled model runs: that shows whether WebGPU's numbers are right, not how fast it is.
 */
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { availableParallelism, cpus, tmpdir } from "node:os";
import { extname, join } from "node:path";
import { setTimeout as later } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { type Browser, chromium } from "playwright-core";
import { engineOn, tryEngine } from "../src/engine/default.ts";
import { Engine } from "../src/engine/engine.ts";
import { type NodeBackendOptions, nodeBackend } from "../src/engine/ort-node.ts";
import { HookedTransformer } from "../src/node.ts";
import { GlassformerError } from "../src/tensor/errors.ts";
import { open, type Site, serve } from "../test/browser/chromium.ts";
import { BUNDLED, randomOn, SIZES, type SizeName, type Timed, timed } from "./devices-jobs.ts";
import type { Bench, Where } from "./devices-page.ts";

declare const bench: Bench;

/** Logits may differ from those of Node's processor by this share of the largest. */
const TOLERANCE = 1e-4;
const WEBGPU = ["--enable-unsafe-webgpu", "--ignore-gpu-blocklist"];
/** How Chromium finds a graphics processor: the first way that does is taken. On Linux without a display it has to be asked for Vulkan. */
const WAYS: readonly (readonly string[])[] = [
  ...(process.platform === "linux"
    ? [["--enable-features=Vulkan", "--use-angle=vulkan", "--disable-vulkan-surface"]]
    : [[]]),
  ["--use-webgpu-adapter=swiftshader"],
];
/** Milliseconds after which a browser has no graphics processor: some then never answer. */
const NO_ADAPTER = 15_000;

const models = fileURLToPath(new URL("../models/", import.meta.url));

const IN_PAGE: Readonly<Record<string, Where & { readonly isolated: boolean }>> = {
  "page, WebAssembly, 1 thread": { device: "cpu", isolated: false },
  "page, WebAssembly, threads": { device: "cpu", isolated: true },
  "worker, WebAssembly, threads": { device: "cpu", worker: true, isolated: true },
  "page, WebGPU": { device: "webgpu", isolated: true },
  "worker, WebGPU": { device: "webgpu", worker: true, isolated: true },
};

export async function devices() {
  const folder = await mkdtemp(join(tmpdir(), "glassformer-bench-"));
  try {
    await buildPage(folder);
    const found = await measuredWith(folder);
    if (found.wrong.length === 0) return found;
    process.stdout.write(`${JSON.stringify(found, null, 2)}\n`);
    throw new GlassformerError(`Wrong or failed: ${found.wrong.join("; ")}.`);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The page as Vite builds a site by default. */
export async function buildPage(folder: string): Promise<void> {
  const { build } = await import("vite");
  const input = fileURLToPath(new URL("devices-page.ts", import.meta.url));
  const rollupOptions = { input, output: { entryFileNames: "page.js" } };
  await build({
    configFile: false,
    logLevel: "warn",
    build: { outDir: folder, emptyOutDir: true, chunkSizeWarningLimit: 5000, rollupOptions },
  });
}

/** @param folder with the built page */
export async function measuredWith(folder: string) {
  const site = (isolated: boolean): Promise<Site> =>
    serve({ folders: { "/models": models, "": folder }, pages: { "/": "/page.js" }, isolated });
  const [shared, plain] = await Promise.all([site(true), site(false)]);
  const { browser, adapter } = await launched(shared.url);
  const nodeHasGpu = await tryEngine(engineOn("webgpu")).then(
    () => true,
    () => false,
  );
  try {
    const found: Record<string, Record<string, unknown>> = {};
    const wrong: string[] = [];
    for (const name of [BUNDLED, ...Object.keys(SIZES)] as SizeName[]) {
      const rows: Record<string, unknown> = (found[name] = {});
      const expected = (await inNode(name, {})).logits;
      const row = async (label: string, measuring: () => Promise<Timed>) => {
        const found = await measuring().catch((error: Error) => ({ error: error.message }));
        const share = "error" in found ? Number.NaN : difference(found.logits, expected);
        rows[label] = { ...found, logits: undefined, difference: share };
        if (!(share < TOLERANCE)) wrong.push(`${name}, ${label}`);
        process.stderr.write(`${name}, ${label}: ${JSON.stringify(rows[label])}\n`);
      };
      const isSlow = adapter?.isSoftware === true;
      const onGpu = adapter !== null && (!isSlow || name === BUNDLED);
      await row("Node", () => inNode(name, {}));
      await row("Node, 1 thread", () => inNode(name, { threads: 1 }));
      if (onGpu && nodeHasGpu) await row("Node, WebGPU", () => inNode(name, { device: "webgpu" }, isSlow));
      for (const [label, { isolated, ...where }] of Object.entries(IN_PAGE)) {
        if (where.device === "webgpu" && !onGpu) continue;
        const on = { ...where, isSlow: isSlow && where.device === "webgpu" };
        await row(label, () => inPage(browser, isolated ? shared : plain, name, on));
      }
    }
    return {
      processor: cpus()[0]?.model,
      cores: availableParallelism(),
      chromium: browser.version(),
      adapter,
      downloads: await downloads(folder),
      models: found,
      wrong,
    };
  } finally {
    await browser.close();
    await Promise.all([shared.close(), plain.close()]);
  }
}

/** A Chromium with its graphics processor, or with one made of software where it finds none. */
async function launched(url: string) {
  const executablePath = [process.env.CHROMIUM_PATH, "/usr/bin/chromium"].find((path) => path && existsSync(path));
  if (!executablePath) throw new GlassformerError("There is no Chromium: say where it is with CHROMIUM_PATH.");
  for (const way of WAYS) {
    const args = ["--headless=new", "--no-sandbox", ...WEBGPU, ...way];
    const browser = await chromium.launch({ executablePath, args });
    const page = await open(browser, url, "bench");
    const adapter = await Promise.race([
      page.evaluate(() => bench.adapter()).catch(() => null),
      later(NO_ADAPTER, null),
    ]);
    if ((adapter && !adapter.isSoftware) || way === WAYS.at(-1)) return { browser, adapter };
    await browser.close();
  }
  throw new GlassformerError("Chromium did not start.");
}

/** In a page of its own, whose browser has stored nothing. */
async function inPage(browser: Browser, { url }: Site, name: SizeName, where: Where): Promise<Timed> {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    await page.goto(url);
    await page.waitForFunction(() => "bench" in globalThis);
    return await page.evaluate(([of, on]) => bench.timed(of, on), [name, where] as const);
  } finally {
    await context.close();
  }
}

async function inNode(name: SizeName, options: NodeBackendOptions, isSlow = false): Promise<Timed> {
  const engine = new Engine(nodeBackend(options));
  const opening = async () =>
    name === BUNDLED ? HookedTransformer.fromPretrained(join(models, BUNDLED), { engine }) : randomOn(name, engine);
  const found = await timed(opening, isSlow);
  await engine.dispose();
  return found;
}

/** The largest difference, as a share of the largest number. */
function difference(found: readonly number[], expected: readonly number[]): number {
  const largest = Math.max(...expected.map(Math.abs));
  const share = Math.max(...expected.map((x, i) => Math.abs(found[i] - x))) / largest;
  return Number(share.toExponential(1));
}

/** The sizes of a built page's files, as they are and compressed by gzip, in bytes. */
async function downloads(folder: string): Promise<Record<string, { bytes: number; gzip: number }>> {
  const sizes: Record<string, { bytes: number; gzip: number }> = {};
  for (const path of await readdir(folder, { recursive: true })) {
    const file = join(folder, path);
    if (!(await stat(file)).isFile() || ![".js", ".mjs", ".wasm"].includes(extname(file))) continue;
    const content = await readFile(file);
    sizes[path] = { bytes: content.length, gzip: gzipSync(content).length };
  }
  return sizes;
}
