/** How a page loads and stores models, in Chromium, from a server that is cut, changed and gone. */
import { createHash, randomBytes } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { RUNTIME_FILES } from "../../src/engine/ort-web-runtime.ts";
import { chromiumPath, launch, type Site, serve, servePage } from "./chromium.ts";
import { FileServer } from "./file-server.ts";
import type { Loading } from "./pages/loading.ts";

declare const loading: Loading;
declare function inWorker(name: "fetch", ...args: Parameters<Loading["fetch"]>): ReturnType<Loading["fetch"]>;

const bundled = fileURLToPath(new URL("../../models/solu-1l-novels", import.meta.url));
const { files: listed } = JSON.parse(readFileSync(join(bundled, "config.json"), "utf8"));
const bundledFiles: readonly string[] = ["config.json", ...listed];
const weights = randomBytes(5_000_000);
const hash = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");
const commit = "0123456789abcdef0123456789abcdef01234567";

describe.skipIf(!chromiumPath)("a page that loads models (skipped without /usr/bin/chromium or CHROMIUM_PATH)", () => {
  const server = new FileServer();
  let site: Site;
  let other: Site;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  /** What failed on the page's way to the server. */
  let failed: string[];

  beforeAll(async () => {
    site = await servePage(
      "loading",
      {},
      {
        answer: (asked, answer) => hub(asked.url!, answer) || server.answer(asked, answer),
      },
    );
    other = await serve({ folders: {}, pages: {}, answer: (asked, answer) => server.answer(asked, answer) });
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    await site?.close();
    await other?.close();
  });
  beforeEach(async () => {
    server.fresh();
    server.files.clear();
    server.files.set("/files/m/model.safetensors", weights);
    context = await browser.newContext();
    failed = [];
    page = await open();
  });
  afterEach(() => context.close());

  /** What the hub says of org/name. */
  function hub(url: string, answer: Parameters<FileServer["answer"]>[1]): boolean {
    if (!url.startsWith("/files/hub/api/")) return false;
    if (server.isDown) answer.destroy();
    else answer.end(JSON.stringify({ sha: commit, siblings: [{ rfilename: "w.bin", size: weights.length }] }));
    return true;
  }

  /** A tab of the same person's browser. */
  async function open(script?: string): Promise<Page> {
    const tab = await context.newPage();
    tab.on("requestfailed", (request) =>
      failed.push(`${request.method()} ${request.url()} ${request.failure()?.errorText}`),
    );
    tab.on("response", (response) => {
      if (response.status() >= 400) failed.push(`${response.status()} ${response.url()}`);
    });
    if (script) await tab.addInitScript(script);
    await tab.goto(site.url);
    await tab.waitForFunction(() => "loading" in globalThis);
    await tab.evaluate(() => loading.setHub({ limits: { tries: 1 } }));
    return tab;
  }
  const get = (tab = page, from = "/files/m", path = "model.safetensors") =>
    tab.evaluate(([f, p]) => loading.fetch(f, p), [from, path]);
  const stored = (tab = page) => tab.evaluate(() => loading.storedModels());

  const WITHOUT_WRITING = "delete FileSystemFileHandle.prototype.createWritable";

  test.each([
    ["the origin private file system", ""],
    ["Cache Storage, where a browser cannot write to that", WITHOUT_WRITING],
  ])("continues a download that was cut, after a reload too, and fetches only the rest: in %s", async (_, script) => {
    const tab = await open(script);
    server.cutAfter = 2_000_000;
    const cut = await get(tab);
    expect(cut.error).toMatch(
      /^HubError: The download of model\.safetensors of \/files\/m broke off after 2 MB of 5 MB \(.+\): what has arrived is stored: load it again to continue from there\.$/,
    );
    expect(await stored(tab)).toMatchObject([{ name: `${site.url}/files/m/`, bytes: 2_000_000, complete: false }]);
    await tab.close();
    server.fresh();
    const again = await get(await open(script));
    expect(again).toMatchObject({ hash: hash(weights), first: 2_000_000, notes: [] });
    expect(again.progress).toEqual([...again.progress].sort((a, b) => a - b));
    expect(again.progress.at(-1)).toBe(1);
    expect(server.seen).toEqual(["GET /files/m/model.safetensors bytes=2000000- 206"]);
    expect(server.sent).toBe(3_000_000);
    const last = await open(script);
    expect(await last.evaluate(async () => loading.deleteStored(await loading.storedModels()))).toBe(weights.length);
    expect(await stored(last)).toEqual([]);
  });

  test("continues within one call when a connection breaks, as often as it brings something", async () => {
    await page.evaluate(() => loading.setHub({ limits: { tries: 2, retryMs: 5 } }));
    server.cutAfter = 1_200_000;
    expect((await get()).hash).toBe(hash(weights));
    expect(server.sent).toBe(weights.length);
    expect(server.seen).toHaveLength(5);
  });

  test("has what arrived before a person stopped it", async () => {
    server.pace = 5;
    const stopped = await page.evaluate(() => loading.fetch("/files/m", "model.safetensors", 1_000_000));
    expect(stopped.error).toBe("Error: stopped by the person");
    const [{ bytes }] = await stored();
    expect(bytes).toBeGreaterThanOrEqual(1_000_000);
    server.fresh();
    expect((await get()).hash).toBe(hash(weights));
    expect(server.sent).toBe(weights.length - bytes);
  });

  test("a file that changed in between is fetched whole", async () => {
    server.cutAfter = 2_000_000;
    await get();
    server.fresh();
    const changed = randomBytes(5_000_000);
    server.files.set("/files/m/model.safetensors", changed);
    expect((await get()).hash).toBe(hash(changed));
    expect(server.seen).toEqual(["GET /files/m/model.safetensors bytes=2000000- 200"]);
  });

  test("a second visit only asks whether a file has changed, in a worker too, and what has changed is fetched", async () => {
    expect((await get()).hash).toBe(hash(weights));
    server.fresh();
    await page.reload();
    const again = await get(await open());
    expect(again).toMatchObject({ hash: hash(weights), progress: [] });
    const worker = await page.evaluate(() => inWorker("fetch", "/files/m", "model.safetensors"));
    expect(worker).toMatchObject({ hash: hash(weights), progress: [] });
    expect(server.seen).toEqual(Array(2).fill("HEAD /files/m/model.safetensors 304"));
    expect(failed).toEqual([]);
    const changed = randomBytes(4_000_000);
    server.files.set("/files/m/model.safetensors", changed);
    expect((await get(await open())).hash).toBe(hash(changed));
    expect(await stored()).toMatchObject([{ bytes: 4_000_000, complete: true }]);
  });

  test("a worker stores what the page then has, and the other way round", async () => {
    server.cutAfter = 2_000_000;
    const limits = { limits: { tries: 1 } };
    await page.evaluate((l) => (inWorker as unknown as (...args: unknown[]) => unknown)("setHub", l), limits);
    const cut = await page.evaluate(() => inWorker("fetch", "/files/m", "model.safetensors"));
    expect(cut.error).toContain("broke off after 2 MB of 5 MB");
    server.fresh();
    expect((await get()).hash).toBe(hash(weights));
    expect(server.sent).toBe(3_000_000);
  });

  test("another origin's file is continued and asked for again without a request that it would have to allow", async () => {
    server.allowed = true;
    const from = `${other.url}/files/m`;
    server.cutAfter = 2_000_000;
    expect((await get(page, from)).error).toContain("broke off after 2 MB");
    server.fresh();
    expect((await get(page, from)).hash).toBe(hash(weights));
    expect((await get(await open(), from)).hash).toBe(hash(weights));
    expect(server.seen).toEqual([
      "GET /files/m/model.safetensors bytes=2000000- 206",
      "HEAD /files/m/model.safetensors 200",
    ]);
  });

  test("without a connection, the stored file is used, with a note; what is not stored is said to be out of reach", async () => {
    await get();
    server.isDown = true;
    const away = await get(await open());
    expect(away.hash).toBe(hash(weights));
    expect(away.notes).toEqual([
      expect.stringMatching(/^http:.*\/model\.safetensors cannot be reached: .* is read as it was stored on \d{4}-/),
    ]);
    const missing = await get(page, "/files/m", "other.bin");
    expect(missing.error).toMatch(/^HubError: http:.*\/other\.bin cannot be reached from this page \(.+\): check the/);
  });

  test("a commit on the hub is not asked for again", async () => {
    server.files.set(`/files/hub/org/name/resolve/${commit}/w.bin`, weights);
    const endpoint = `${site.url}/files/hub`;
    await page.evaluate((e) => loading.setHub({ endpoint: e }), endpoint);
    expect((await get(page, "hub:org/name", "w.bin")).hash).toBe(hash(weights));
    server.fresh();
    server.isDown = true;
    const tab = await open();
    await tab.evaluate((e) => loading.setHub({ endpoint: e }), endpoint);
    expect((await get(tab, "hub:org/name", "w.bin")).hash).toBe(hash(weights));
    expect(server.seen).toEqual([]);
    expect(await stored()).toMatchObject([{ name: "org/name", revision: commit, complete: true }]);
  });

  test("a full store holds the rest in memory, and says so", async () => {
    const session = await context.newCDPSession(page);
    await session.send("Storage.overrideQuotaForOrigin", { origin: site.url, quotaSize: 2_000_000 });
    const full = await get();
    expect(full.hash).toBe(hash(weights));
    expect(full.notes).toEqual([
      "model.safetensors of /files/m (5 MB) is held in memory and will be downloaded again at the next visit, because the browser has no room for it. Models that are not needed can be deleted (deleteStored).",
    ]);
    await session.send("Storage.overrideQuotaForOrigin", { origin: site.url });
    expect((await get(await open())).hash).toBe(hash(weights));
    expect(await stored()).toMatchObject([{ bytes: weights.length, complete: true }]);
  });

  test("of two tabs, one downloads and the other waits for it, and both show the progress", async () => {
    server.pace = 100;
    const tab = await open();
    const both = await Promise.all([get(), get(tab)]);
    for (const { hash: found, progress } of both) {
      expect(found).toBe(hash(weights));
      expect(progress.length).toBeGreaterThan(0);
    }
    expect(server.sent).toBe(weights.length);
  });

  test("a tab continues what another that is closed has begun", async () => {
    server.pace = 100;
    const tab = await open();
    const first = get(tab).catch(() => undefined);
    await expect.poll(() => server.sent, { timeout: 20_000 }).toBeGreaterThan(0);
    const second = get();
    await expect.poll(async () => (await stored())[0]?.bytes, { timeout: 20_000 }).toBeGreaterThan(0);
    await tab.close();
    server.pace = undefined;
    expect((await second).hash).toBe(hash(weights));
    await first;
    expect(server.seen.at(-1)).toMatch(/^GET \/files\/m\/model\.safetensors bytes=\d+- 206$/);
  });

  test("what is stored is listed, and deleted by name; what is being downloaded is not", async () => {
    server.files.set("/files/n/a.bin", Buffer.alloc(1000, 1));
    await get();
    await get(page, "/files/n", "a.bin");
    const list = await stored();
    expect(list.map(({ name, bytes, complete, files }) => [name, bytes, complete, files[0].path])).toEqual([
      [`${site.url}/files/m/`, weights.length, true, "model.safetensors"],
      [`${site.url}/files/n/`, 1000, true, "a.bin"],
    ]);
    expect(new Date(list[0].date).getFullYear()).toBeGreaterThan(2000);
    expect(await page.evaluate(() => loading.deleteStored("/files/n"))).toBe(1000);
    expect(await page.evaluate(() => loading.wrongDelete(["/files/n", "nothing", 5, [undefined]]))).toEqual([
      `UnknownNameError: There is no stored model "/files/n". There is ${site.url}/files/m/.`,
      expect.stringMatching(/^UnknownNameError: There is no stored model "nothing"/),
      "ArgumentError: deleteStored takes the name of a stored model, or what storedModels returned, not a number.",
      "ArgumentError: deleteStored takes the name of a stored model, or what storedModels returned, not nothing.",
    ]);
    expect(await page.evaluate(async () => loading.deleteStored(await loading.storedModels()))).toBe(weights.length);
    expect(await stored()).toEqual([]);
    server.pace = 100;
    const running = get(await open());
    await expect.poll(async () => (await stored()).length, { timeout: 20_000 }).toBe(1);
    const [busy] = await page.evaluate(() => loading.wrongDelete(["/files/m"]));
    expect(busy).toMatch(/^HubError: http.*\/files\/m\/ is being downloaded, here or in another tab: stop that/);
    server.pace = undefined;
    expect((await running).hash).toBe(hash(weights));
  });

  /** Bytes of files of the bundled model. */
  const sizeOf = (...paths: string[]) => paths.reduce((sum, path) => sum + statSync(join(bundled, path)).size, 0);

  test("a bundled model is loaded with no request that fails, in one total with the runtime, and the next time nothing is downloaded", async () => {
    for (const path of bundledFiles) server.files.set(`/files/solu/${path}`, readFileSync(join(bundled, path)));
    const load = (tab: Page) => tab.evaluate(() => loading.model("/files/solu", "She opened the letter"));
    const { loss, seen, notes } = await load(page);
    expect(loss).toBeGreaterThan(0);
    expect([failed, notes]).toEqual([[], []]);
    const runtime = RUNTIME_FILES.cpu;
    const total = sizeOf("model.safetensors", "tokenizer.json") + runtime.bytes;
    expect(new Set(seen.map((progress) => progress.total))).toEqual(new Set([total]));
    expect(seen.at(-1)).toEqual({
      done: total,
      total,
      unit: "bytes",
      of: expect.any(String),
      file: expect.any(String),
    });
    const ofRuntime = seen.filter(({ file }) => file === runtime.file);
    expect(new Set(ofRuntime.map(({ of }) => of))).toEqual(new Set(["onnxruntime-web"]));
    const done = seen.map((progress) => progress.done);
    expect(done).toEqual([...done].sort((a, b) => a - b));
    server.fresh();
    expect(await load(await open())).toEqual({ loss, seen: [], notes: [] });
    const asked = ["config.json", "model.safetensors", "tokenizer.json"].map((path) => `HEAD /files/solu/${path} 304`);
    expect([...server.seen].sort()).toEqual(asked);
    expect(failed).toEqual([]);
  });

  test("a model is there once the runtime is, which counts only once in a page", async () => {
    for (const name of ["a", "b"])
      for (const path of bundledFiles) server.files.set(`/files/${name}/${path}`, readFileSync(join(bundled, path)));
    const files = sizeOf("model.safetensors", "tokenizer.json");
    const { bytes } = RUNTIME_FILES.cpu;
    let arrived = false;
    await page.route("**/*.wasm", async (route) => {
      await new Promise((later) => setTimeout(later, 2000));
      arrived = true;
      await route.continue();
    });
    const open = (tab: Page, name: string) => tab.evaluate((from) => loading.progress(from), name);
    const first = await open(page, "/files/a");
    expect(arrived).toBe(true);
    expect(first.filter(({ done }) => done === files)).not.toEqual([]);
    expect(first.at(-1)).toMatchObject({ done: files + bytes, total: files + bytes });
    const second = await open(page, "/files/b");
    expect(new Set(second.map(({ total }) => total))).toEqual(new Set([files]));
  });

  test("where a server does not say how long files are, there is no total before they are all there", async () => {
    for (const path of bundledFiles) server.files.set(`/files/solu/${path}`, readFileSync(join(bundled, path)));
    server.saysLength = false;
    const { seen } = await page.evaluate(() => loading.model("/files/solu", "She opened the letter"));
    const all = sizeOf("model.safetensors", "tokenizer.json") + RUNTIME_FILES.cpu.bytes;
    expect(seen.at(-1)).toMatchObject({ done: all, total: all });
    const arriving = seen.filter(({ done }) => done > 0 && done < sizeOf("model.safetensors"));
    expect(arriving.length).toBeGreaterThan(0);
    for (const { total } of arriving) expect(total).toBe(0);
    for (const { done, total } of seen) expect(total === 0 || total >= done).toBe(true);
  });

  test("a folder without a list is asked for the usual names, the most usual first", async () => {
    for (const path of ["config.json", "tokenizer.json", "tokenizer_config.json"])
      server.files.set(
        `/files/m/${path}`,
        Buffer.from(path.endsWith("config.json") ? '{"added_tokens_decoder": {}}' : "{}"),
      );
    expect(await page.evaluate(() => loading.list("/files/m"))).toEqual([
      "config.json",
      "model.safetensors",
      "tokenizer.json",
      "tokenizer_config.json",
    ]);
    expect(failed).toEqual([]);
  });

  test("a model that cannot fit is refused before its weights are downloaded", async () => {
    const config = { ...JSON.parse(readFileSync(join(bundled, "config.json"), "utf8")), n_layers: 80, d_model: 8192 };
    server.files.set("/files/m/config.json", Buffer.from(JSON.stringify({ ...config, n_heads: 128, d_mlp: 32768 })));
    server.files.set("/files/m/tokenizer.json", Buffer.from("{}"));
    expect(await page.evaluate(() => loading.refusal("/files/m"))).toMatch(
      /^MemoryError: Holding the weights of \/files\/m needs about \d+ GB of memory at one time, but a page .*may only have .* GB.*: open a smaller model, only its first layers \(firstNLayers\), or keep/,
    );
    expect(server.seen.filter((asked) => asked.startsWith("GET"))).toEqual(["GET /files/m/config.json 200"]);
  });

  test("a GGUF file that cannot fit is refused before it is downloaded, and one that can is stored", async () => {
    server.announced.set("/files/big.gguf", 20e9);
    expect(await page.evaluate(() => loading.refusal("/files/big.gguf"))).toMatch(
      /^MemoryError: Holding the weights of http.*\/big\.gguf needs about 20 GB of memory at one time, but a page /,
    );
    server.files.set("/files/llama.gguf", readFileSync(new URL("../goldens/gguf/llama.gguf", import.meta.url)));
    const load = (tab: Page) => tab.evaluate(() => loading.model("/files/llama.gguf", [[1, 2, 3]]));
    const first = await load(page);
    expect(first.seen.at(-1)).toMatchObject({
      done: server.files.get("/files/llama.gguf")!.length + RUNTIME_FILES.cpu.bytes,
    });
    const second = await load(await open());
    expect(second).toEqual({ ...first, seen: [] });
    expect(await stored()).toMatchObject([{ name: `${site.url}/files/llama.gguf`, complete: true }]);
    expect(server.seen.filter((asked) => asked.startsWith("GET"))).toEqual(["GET /files/llama.gguf 200"]);
  });

  test("a tab does not wait forever for another whose download no longer moves", async () => {
    const url = `${site.url}/files/m/model.safetensors`;
    const tab = await open();
    const name = createHash("sha256").update(url).digest("hex");
    await tab.evaluate((lock) => {
      navigator.locks.request(lock, () => new Promise(() => {}));
    }, name);
    await page.evaluate(() => loading.setHub({ limits: { answerMs: 2000, stallMs: 1000 } }));
    const { hash: found, notes } = await get();
    expect(found).toBe(hash(weights));
    expect(notes).toEqual([
      expect.stringMatching(/is held in memory, because another tab is downloading it and nothing/),
    ]);
    expect(await stored()).toEqual([]);
  });

  test("a garbage file is refused in a sentence", async () => {
    for (const path of ["config.json", "tokenizer.json"])
      server.files.set(`/files/m/${path}`, readFileSync(join(bundled, path)));
    expect(await page.evaluate(() => loading.refusal("/files/m"))).toMatch(/^FileFormatError: .*model\.safetensors/);
  });
  describe("files that a person chooses", () => {
    beforeEach(() => page.evaluate(() => loading.chooser()));
    const files = (...names: string[]) => names.map((name) => join(bundled, name));
    const chosen = () => page.evaluate(() => loading.chosen("She opened the letter"));

    test.each([
      ["#files", files("config.json", "model.safetensors", "tokenizer.json"), "the selection"],
      ["#folder", bundled, "solu-1l-novels"],
    ])("are a model: %s", async (input, paths, name) => {
      await page.setInputFiles(input, paths);
      const found = await chosen();
      expect(found).toMatchObject({ name, notes: [] });
      expect(found.loss).toBeGreaterThan(0);
      expect(found.paths).toContain("model.safetensors");
    });

    test("without a configuration or a tokenizer, or with garbage, say so", async () => {
      await page.setInputFiles("#files", files("model.safetensors", "tokenizer.json"));
      expect((await chosen()).error).toMatch(
        /^InputError: the selection has no config\.json, .*: it has model\.safetensors, tokenizer\.json\./,
      );
      await page.setInputFiles("#files", files("config.json", "model.safetensors"));
      expect((await chosen()).error).toMatch(
        /^InputError: the selection names "tokenizer\.json" as its tokenizer, but/,
      );
      const config = readFileSync(join(bundled, "config.json"));
      const garbage = { name: "model.safetensors", mimeType: "", buffer: randomBytes(1000) };
      await page.setInputFiles("#files", [{ name: "config.json", mimeType: "", buffer: config }, garbage]);
      expect((await chosen()).error).toMatch(/^FileFormatError: model\.safetensors /);
      await page.setInputFiles("#files", [{ name: "holiday.jpg", mimeType: "", buffer: randomBytes(10) }]);
      expect((await chosen()).error).toMatch(/^InputError: There is no model in holiday\.jpg: choose a model's config/);
    });

    test("are dropped, or picked as a folder", async () => {
      await page.evaluate(() => loading.drop({ "config.json": "{}", "a.txt": "x" }));
      expect((await chosen()).error).toMatch(/^ConfigError: /);
      await page.evaluate(() => loading.drop({}));
      expect((await chosen()).error).toMatch(
        /^InputError: No files were chosen: choose a model's config\.json, weights/,
      );
      const picked = await page.evaluate(() =>
        loading.pick({ "config.json": "{}", "model.pth": "x", ".DS_Store": "x" }),
      );
      expect(picked).toEqual({ name: "my-model", paths: ["config.json", "model.pth"] });
      for (const refused of await page.evaluate(() => loading.wrongChoice()))
        expect(refused).toMatch(/^ArgumentError: chosenFiles takes a FileList, a list of Files, .*, not /);
    });
  });
});
