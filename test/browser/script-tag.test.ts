/** The whole library in a page without a bundler: the installed package's folder on a server, in a real browser, under a strict policy. */
import { mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import axeCore from "axe-core";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ORT_VERSION } from "../../src/engine/ort-version.ts";
import type * as Library from "../../src/script/script.ts";
import { expectClose } from "../close.ts";
import { type Installed, installed, root } from "../repository/installed.ts";
import { chromiumPath, launch, type Site, type SiteOptions, serve } from "./chromium.ts";

declare const glassformer: typeof Library;

const golden = JSON.parse(readFileSync(new URL("../goldens/seed_run.json", import.meta.url), "utf8"));
const [{ prompt, per_token_loss }]: { prompt: string; per_token_loss: number[] }[] = golden.prompts;
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; connect-src 'self'";
const EXAMPLE = "/node_modules/glassformer/examples/script-tag.html";
const SCRIPT = 'src="/node_modules/glassformer/dist/browser/glassformer.js"';

/** What a test asks of a run. */
interface Run {
  readonly worker?: boolean;
  readonly device?: "cpu" | "webgpu";
  readonly threads?: number;
}

/** Losses [pos-1] in nats of a prompt, by the bundled model. */
async function losses(page: Page, run: Run = {}): Promise<number[]> {
  return page.evaluate(
    async ([text, { worker = false, device = "cpu", threads }]) => {
      const { Engine, HookedTransformer, runInWorker, webBackend } = glassformer;
      if (worker) runInWorker({ threads });
      const engine = threads && !worker ? { engine: new Engine(webBackend({ threads })) } : { device };
      const model = await HookedTransformer.fromPretrained("solu-1l-novels", engine);
      return Array.from((await model.forward(text, { returnType: "loss", lossPerToken: true })).data);
    },
    [prompt, run] as const,
  );
}

function expectLosses(found: readonly number[], tolerance = 1e-5): void {
  const flat = (data: readonly number[]) => ({ shape: [data.length], data });
  expectClose(flat(found), flat(per_token_loss), tolerance);
}

describe.skipIf(!chromiumPath)("a script tag (skipped without /usr/bin/chromium or CHROMIUM_PATH)", () => {
  let there: Installed;
  let browser: Browser;
  const closed: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    there = await installed({ browser: true });
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    for (const close of closed) await close();
    there?.remove();
  });

  /** A server of folders, at first those of the project. */
  async function served(more: Partial<SiteOptions> = {}): Promise<Site> {
    const site = await serve({ folders: { "": there.project }, pages: {}, ...more });
    closed.push(site.close);
    return site;
  }

  /** A site whose `/` is a page with a script and nothing else. @param attributes the script's @param policy what the page may do */
  function siteWith(attributes: string, policy = POLICY, more: Partial<SiteOptions> = {}): Promise<Site> {
    return served({
      ...more,
      answer: ({ url }, response) => {
        response.setHeader("content-security-policy", policy);
        if (url !== "/") return false;
        response.setHeader("content-type", "text/html");
        response.end(`<!doctype html><meta charset="utf-8"><title>test</title><script ${attributes}></script>`);
        return true;
      },
    });
  }

  async function open(url: string, options: Parameters<Browser["newPage"]>[0] = {}, on = browser) {
    const page = await on.newPage({ viewport: { width: 900, height: 900 }, ...options });
    const lines: string[] = [];
    page.on("console", (line) => lines.push(line.text()));
    page.on("pageerror", (error) => lines.push(error.message));
    await page.goto(url);
    return { page, lines };
  }

  const isDone = (page: Page) =>
    expect
      .poll(() => page.locator("p[role=status]").textContent(), { timeout: 30_000 })
      .toMatch(/^\d+ values of the run are in the cache\.$/);

  test("in the example runs the bundled model in a worker, and pictures of its cache share one selection", async () => {
    const { url } = await siteWith(SCRIPT);
    const { page, lines } = await open(url + EXAMPLE);
    await isDone(page);
    expect(page.workers()).toHaveLength(1);
    expect(await page.locator("#attention .head").count()).toBe(5);
    await page.locator("#loss .token").nth(3).click();
    const [word] = await page.locator("#loss .chosen").allTextContents();
    expect(await page.locator("#attention .status").textContent()).toContain(`“${word}” (3)`);
    await page.locator("input").fill("the cat sat on the mat");
    await page.locator("button[name=run]").click();
    const words = async () => (await page.locator("#loss .token").allTextContents()).join("");
    await expect.poll(words).toContain("the␣cat␣sat");
    await isDone(page);
    expect(lines).toEqual([]);
    await page.close();
  });

  test.each(["light", "dark"] as const)("in the example passes axe-core in %s colours", async (colorScheme) => {
    const { url } = await siteWith(SCRIPT);
    const { page } = await open(url + EXAMPLE, { colorScheme, bypassCSP: true });
    await isDone(page);
    await page.evaluate(axeCore.source);
    const found = await page.evaluate(async () => {
      const { axe } = window as unknown as { axe: { run(): Promise<{ violations: { id: string }[] }> } };
      return (await axe.run()).violations.map(({ id }) => id);
    });
    expect(found).toEqual([]);
    await page.close();
  });

  test("gives TransformerLens' losses on the page's own thread, with the runtime's build that the device needs", async () => {
    const site = await siteWith(SCRIPT);
    const { page, lines } = await open(site.url);
    expectLosses(await losses(page));
    expect(page.workers()).toHaveLength(0);
    expect(site.requests.filter((path) => path.includes("onnxruntime-web"))).toEqual(
      ["ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"].map(
        (file) => `/node_modules/onnxruntime-web/dist/${file}`,
      ),
    );
    expect(lines).toEqual([]);
    await page.close();
  });

  test("is all of the library: elements, PNGs, and the names of classes and errors", async () => {
    const { url } = await siteWith(SCRIPT, `${POLICY}; img-src data:`);
    const { page, lines } = await open(url);
    const found = await page.evaluate(async () => {
      const { HookedTransformer, imshow } = glassformer;
      const model = await HookedTransformer.fromPretrained("solu-1l-novels");
      const error = await HookedTransformer.fromPretrained("no name").catch((reason) => reason);
      const png = await imshow([[1, -1]], { title: "two" }).png();
      return {
        name: error.name,
        text: `${model}`,
        png: [...png.slice(1, 4)],
        element: !!customElements.get("glass-lens"),
      };
    });
    expect(found).toEqual({
      name: "ArgumentError",
      text: "HookedTransformer(solu-1l-novels)",
      png: [80, 78, 71],
      element: true,
    });
    expect(lines).toEqual([]);
    await page.close();
  });

  test.each([false, true])("computes in threads where the page is isolated, also in a worker: %s", async (worker) => {
    const site = await siteWith(SCRIPT, POLICY, { isolated: true });
    const { page, lines } = await open(site.url);
    expectLosses(await losses(page, { worker, threads: 2 }));
    expect(site.requests.filter((path) => path.endsWith("ort-wasm-simd-threaded.mjs")).length).toBe(2);
    expect(lines).toEqual([]);
    await page.close();
  });

  test("computes by WebGPU in a worker", async () => {
    const { url } = await siteWith(SCRIPT);
    const withGpu = await launch({ webgpu: true });
    const { page } = await open(url, {}, withGpu);
    expectLosses(await losses(page, { worker: true, device: "webgpu" }), 1e-3);
    await withGpu.close();
  });

  test("finds everything in its own folder, where that is not the package's", async () => {
    const folder = join(there.project, "public/js");
    mkdirSync(folder, { recursive: true });
    const runtime = join(root, "node_modules/onnxruntime-web/dist");
    for (const [from, name] of [
      [join(there.folder, "dist/browser"), "glassformer.js"],
      [join(there.folder, "dist/browser"), "glassformer-worker.js"],
      [there.folder, "models"],
      [runtime, "ort.wasm.min.mjs"],
      [runtime, "ort-wasm-simd-threaded.mjs"],
      [runtime, "ort-wasm-simd-threaded.wasm"],
    ]) {
      symlinkSync(join(from, name), join(folder, name));
    }
    const site = await siteWith('src="js/glassformer.js"', POLICY, { folders: { "": join(there.project, "public") } });
    const { page, lines } = await open(site.url);
    expectLosses(await losses(page, { worker: true }));
    expect(lines).toEqual([]);
    await page.close();
  });

  test.each([false, true])("loads the runtime from where its tag says, also in a worker: %s", async (worker) => {
    const folders = { "/elsewhere": join(root, "node_modules/onnxruntime-web/dist"), "": there.project };
    const site = await siteWith(`${SCRIPT} data-runtime-folder="elsewhere"`, POLICY, { folders });
    const { page, lines } = await open(site.url);
    expectLosses(await losses(page, { worker }));
    expect(site.requests.filter((path) => path.includes("onnxruntime"))).toEqual([]);
    expect(lines).toEqual([]);
    await page.close();
  });

  test("says where the runtime was not", async () => {
    const site = await siteWith(`${SCRIPT} data-runtime-folder="/nowhere/"`);
    const { page } = await open(site.url);
    await expect(losses(page)).rejects.toThrow(
      /onnxruntime-web, which computes in pages, could not be loaded \(.*\/nowhere\/ort\.wasm\.min\.mjs\)/,
    );
    await page.close();
  });

  test.each(["", "/dist/browser/glassformer.js"])(
    "from another origin, with a CDN's addresses (…@version%s), runs in a worker, too",
    async (path) => {
      const name = `/npm/glassformer@${manifest.version}`;
      const cdn = await served({
        folders: {
          [name]: there.folder,
          [`/npm/onnxruntime-web@${ORT_VERSION}`]: join(root, "node_modules/onnxruntime-web"),
        },
        answer: ({ url }, response) => {
          response.setHeader("access-control-allow-origin", "*");
          if (url !== name) return false;
          response.setHeader("content-type", "text/javascript");
          response.end(readFileSync(join(there.folder, manifest.jsdelivr)));
          return true;
        },
      });
      const policy = `default-src 'none'; script-src ${cdn.url} 'wasm-unsafe-eval'; connect-src ${cdn.url}; worker-src blob:`;
      const { url } = await siteWith(`src="${cdn.url}${name}${path}"`, policy);
      const { page, lines } = await open(url);
      expectLosses(await losses(page, { worker: true }));
      expect(page.workers()).toHaveLength(1);
      expect(lines).toEqual([]);
      await page.close();
    },
  );

  test("is less than 700 kB of compressed code, before the runtime", () => {
    const code = readFileSync(join(there.folder, "dist/browser/glassformer.js"));
    expect(gzipSync(code).length).toBeLessThan(700e3);
    expect(manifest.unpkg).toBe(manifest.jsdelivr);
  });
});
