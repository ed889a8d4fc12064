/** A site that uses the package: bundled by Vite with nothing configured, opened in a real browser. */
import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as glassformer from "../../src/node.ts";
import { expectClose } from "../close.ts";
import { chromiumPath, launch, open, type Site, serve } from "./chromium.ts";
import { type Bundled, bundled } from "./installed-site.ts";
import type { ModelPage } from "./pages/model.ts";
import { training } from "./training.ts";

declare const page: ModelPage;

const golden = JSON.parse(readFileSync(new URL("../goldens/seed_run.json", import.meta.url), "utf8"));
const prompts: { prompt: string; per_token_loss: number[] }[] = golden.prompts;

const commit = "0123456789abcdef0123456789abcdef01234567";
const text = "a file of the hub ".repeat(1000);
/** What the hub does: answers, or is unreachable. */
let hubIsUp = true;

function hub(request: IncomingMessage, response: ServerResponse): boolean {
  if (!request.url?.startsWith("/hub/")) return false;
  const path = request.url.slice("/hub".length);
  if (!hubIsUp) response.destroy();
  else if (path.startsWith("/api/models/org/name/revision/main")) {
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ sha: commit, siblings: [{ rfilename: "notes.txt", size: text.length }] }));
  } else if (path === `/org/name/resolve/${commit}/notes.txt`) response.end(text);
  else response.writeHead(404).end();
  return true;
}

describe.skipIf(!chromiumPath)("a site in Chromium (skipped without /usr/bin/chromium or CHROMIUM_PATH)", () => {
  let there: Bundled;
  let site: Site;
  let browser: Browser;
  let tab: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    there = await bundled("model", ["training.ts"]);
    const models = join(there.folder, "models");
    site = await serve({
      folders: { "/models": models, "": there.dist },
      pages: { "/": "/model.js" },
      isolated: true,
      answer: hub,
    });
    browser = await launch();
    tab = await open(browser, `${site.url}/`, "page");
    tab.on("pageerror", (error) => complaints.push(error.message));
  });
  afterAll(async () => {
    await browser?.close();
    await site?.close();
    there?.remove();
  });

  test.each(["/models/solu-1l-novels", "solu-1l-novels"])(
    "%s is loaded from the server and gives the losses of TransformerLens",
    async (name) => {
      for (const { prompt, per_token_loss } of [prompts[0], prompts[16]]) {
        const found = await tab.evaluate(([n, p]) => page.losses(n, p), [name, prompt]);
        expectClose(
          { shape: [found.length], data: found },
          { shape: [per_token_loss.length], data: per_token_loss },
          1e-5,
        );
      }
      expect(complaints).toEqual([]);
    },
  );

  test("each file of the model was downloaded once, whatever it was called", () => {
    expect(site.downloads.filter((path) => path.startsWith("/models/")).sort()).toEqual(
      ["config.json", "model.safetensors", "tokenizer.json"].map((file) => `/models/solu-1l-novels/${file}`),
    );
  });

  test("of the runtime, only the build without WebGPU was fetched", () => {
    const builds = site.requests.filter((path) => path.endsWith(".wasm"));
    expect(builds).toHaveLength(1);
    expect(builds[0]).toMatch(/ort-wasm-simd-threaded-[^.]*\.wasm$/);
    expect(site.requests.filter((path) => path.includes("jsep"))).toEqual([]);
  });

  test("the runtime is fetched while a model is read, before it is run", async () => {
    const other = await serve({
      folders: { "/models": join(there.folder, "models"), "": there.dist },
      pages: { "/": "/model.js" },
    });
    const page2 = await open(browser, `${other.url}/`, "page");
    const builds = () => other.requests.filter((path) => path.endsWith(".wasm")).length;
    expect(await page2.evaluate(() => page.error("/models/nothing"))).toContain("Error");
    expect(builds()).toBe(0);
    await page2.evaluate(() => page.open("/models/solu-1l-novels"));
    await expect.poll(builds).toBe(1);
    await page2.close();
    await other.close();
  });

  test("a runtime that cannot be fetched is named by the first run, with the reason", async () => {
    const without = await serve({
      folders: { "/models": join(there.folder, "models"), "": there.dist },
      pages: { "/": "/model.js" },
      answer: ({ url }, response) => {
        if (!url?.endsWith(".wasm")) return false;
        response.writeHead(404).end();
        return true;
      },
    });
    const page2 = await open(browser, `${without.url}/`, "page");
    await page2.evaluate(() => page.open("/models/solu-1l-novels"));
    await expect.poll(() => without.requests.some((path) => path.endsWith(".wasm"))).toBe(true);
    const error = await page2.evaluate(
      (p) => page.losses("/models/solu-1l-novels", p).catch(({ name, message }) => `${name}: ${message}`),
      prompts[0].prompt,
    );
    expect(error).toMatch(/^GlassformerError: onnxruntime could not start here: .*fetching of the wasm failed/);
    expect(error).toContain("that the site serves the .wasm file of its build");
    await page2.close();
    await without.close();
  });

  test.each([
    ["that may share memory computes in as many threads as it asks for", true, 1],
    ["that may not computes in one", false, 0],
  ])("a page %s, and nothing is written to the console", async (_, isolated, workers) => {
    const other = await serve({
      folders: { "/models": join(there.folder, "models"), "": there.dist },
      pages: { "/": "/model.js" },
      isolated,
    });
    const page2 = await open(browser, `${other.url}/`, "page");
    const lines: string[] = [];
    page2.on("console", (line) => lines.push(line.text()));
    page2.on("pageerror", (error) => lines.push(error.message));
    const { prompt, per_token_loss } = prompts[0];
    const found = await page2.evaluate((p) => page.lossesInThreads(p, 2), prompt);
    expectClose({ shape: [found.length], data: found }, { shape: [per_token_loss.length], data: per_token_loss }, 1e-5);
    expect(page2.workers()).toHaveLength(workers);
    expect(lines).toEqual([]);
    await page2.close();
    await other.close();
  });

  test("a folder's files are those that exist", async () => {
    const { files } = JSON.parse(
      readFileSync(new URL("../../models/solu-1l-novels/config.json", import.meta.url), "utf8"),
    );
    const found = await tab.evaluate(() => page.list("/models/solu-1l-novels"));
    expect([...found].sort()).toEqual(["config.json", ...files].sort());
    expect(found).toContain("sae/cfg.json");
  });

  test("a picture of the model's attention is drawn into the page", async () => {
    const svg = await tab.evaluate((prompt) => page.draw(prompt), prompts[0].prompt);
    expect(svg).toMatch(/^<svg /);
    expect(await tab.locator("svg rect").count()).toBeGreaterThan(25);
    expect(await tab.locator("svg").first().getAttribute("aria-label")).toContain("Attention of head 0");
  });

  test("a model is trained on a dropped Parquet file, with the same numbers as in Node, and resumes from its checkpoints", async () => {
    const file = new URL("../training/fixtures/zstd.parquet", import.meta.url);
    const here = await training(glassformer, await glassformer.fileSource(file.pathname));
    const found = await tab.evaluate((bytes) => page.train(bytes), [...readFileSync(file)]);
    expect(found.checkpoints).toEqual(["step-0000003", "step-0000006"]);
    expect(found.resumed).toEqual(found.losses);
    expect(found.losses[5]).toBeLessThan(found.losses[0]);
    for (const key of ["losses", "gradient"] as const) {
      expectClose({ shape: [], data: found[key] }, { shape: [], data: here[key] }, 1e-4);
    }
    expect(found.opened).toBeCloseTo(here.opened, 3);
    expect(complaints).toEqual([]);
  });

  test("a PNG is drawn by the page itself", async () => {
    const bytes = await tab.evaluate(() => page.png());
    expect(bytes.slice(1, 4)).toEqual([80, 78, 71]);
  });

  test("a file on the hub is fetched once, then kept for when there is no connection", async () => {
    await tab.evaluate((endpoint) => page.setHub({ endpoint }), `${site.url}/hub`);
    const first = await tab.evaluate(() => page.hubText("org/name", "notes.txt"));
    expect(first.text).toBe(text);
    expect(first.seen.at(-1)).toBe(1);
    hubIsUp = false;
    const second = await tab.evaluate(() => page.hubText("org/name", "notes.txt"));
    expect(second.text).toBe(text);
    expect(second.seen).toEqual([]);
    expect(site.requests.filter((path) => path.endsWith("/notes.txt")).length).toBe(1);
    hubIsUp = true;
  });

  test.each([
    ["/nowhere", /^UnknownNameError: There is no file "config.json"\..*It was looked for in http.*\/nowhere\/\.$/],
    ["solu-1m", /^UnknownNameError: There is no model "solu-1m"\. Did you mean "solu-1l"\?/],
    ["org/nothing", /^HubError: There is no model "org\/nothing" on http.*\(404\): check the spelling/],
    ["not a name", /^ArgumentError: "not a name" is neither a URL nor a model's name/],
    ["http://127.0.0.1:1/x", /^HubError: http:\/\/127\.0\.0\.1:1\/x\/config\.json cannot be reached from this page/],
  ])("opening %s says what is wrong", async (name, sentence) => {
    expect(await tab.evaluate((n) => page.error(n), name)).toMatch(sentence);
  });
});
