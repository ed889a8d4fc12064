/** What goes wrong around the page: in every case it says so in a sentence, and nothing that a person has is lost. */
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { HookedTransformer, measureLook } from "../../src/node.ts";
import { chromiumPath, launch, type Site, serve } from "./chromium.ts";
import { FileServer } from "./file-server.ts";
import { type PlainTab, plainTabs } from "./hidden-tab.ts";
import { computed, LIMIT, probabilities, type ServedApp, servedApp, soon } from "./served-app.ts";

const PROMPT = "She opened the letter and";
const LOST = "Nothing that you entered is lost.";

const title = "the page when something fails (skipped without /usr/bin/chromium or CHROMIUM_PATH)";
describe.skipIf(!chromiumPath)(title, { timeout: 3 * LIMIT }, () => {
  const server = new FileServer();
  let app: ServedApp;
  let url: string;
  /** Another host, which has a model. */
  let site: Site;
  let gelu: string;
  let folder: string;

  beforeAll(async () => {
    app = await servedApp();
    url = app.url;
    folder = join(app.there.folder, "models/gelu-3l-novels");
    server.allowed = true;
    for (const name of readdirSync(folder)) server.files.set(`/files/gelu/${name}`, readFileSync(join(folder, name)));
    site = await serve({ folders: {}, pages: {}, answer: (asked, answer) => server.answer(asked, answer) });
    gelu = `${site.url}/files/gelu`;
  });
  afterAll(async () => {
    await app?.close();
    await site?.close();
  });
  beforeEach(() => server.fresh());

  const news = (tab: Page) => tab.locator(".model-news .problem");
  const facts = (tab: Page) => tab.locator(".model > small").textContent();
  const prompt = (tab: Page) => tab.getByLabel("Prompt", { exact: true });
  const chooser = (tab: Page) => tab.locator(".model > button");
  const load = async (tab: Page, name: string) => {
    await chooser(tab).click();
    await tab.getByLabel("Hugging Face id, short name, or address").fill(name);
    await tab.keyboard.press("Enter");
  };
  /** The page computes with this model: the numbers of Node. */
  const computes = async (tab: Page, name: string, text: string) => {
    await prompt(tab).fill(text);
    const { next } = await measureLook(await HookedTransformer.fromPretrained(name), { prompt: text });
    await soon(async () => Math.abs((await probabilities(tab))[0] - next.rows[0].probability)).toBeLessThan(1e-4);
  };

  test("a network that is cut leaves the model that is there, and the next try goes on where it stopped", async () => {
    const tab = await app.opened(url);
    await computed(tab);
    const before = tab.url;
    server.pace = 100;
    server.cutAfter = 1_000_000;
    await load(tab, gelu);
    await tab.getByRole("button", { name: "Cancel" }).waitFor();
    await soon(() => server.sent).toBeGreaterThanOrEqual(1_000_000);
    server.isDown = true;
    await soon(() => news(tab).textContent()).toMatch(
      /^The download of model\.safetensors of http\S+ broke off after 1 MB.* \(.+\): what has arrived is stored: load it again to continue from there\. The page still has solu-1l-novels\./,
    );
    expect(await chooser(tab).textContent()).toBe("solu-1l-novels");
    expect(tab.url).toBe(before);
    await computes(tab, "solu-1l-novels", PROMPT);
    server.fresh();
    await news(tab).getByRole("button", { name: "Try again" }).click();
    await soon(() => facts(tab)).toContain("3 layers, 4 heads");
    expect(await news(tab).count()).toBe(0);
    expect(server.seen).toContain("GET /files/gelu/model.safetensors bytes=1000000- 206");
    await computes(tab, "gelu-3l-novels", PROMPT);
    await tab.context().close();
  });

  test("a download can be cancelled, and the finding that is there stays", async () => {
    const tab = await app.opened(url);
    await computed(tab);
    server.pace = 200;
    await load(tab, gelu);
    await tab.getByRole("button", { name: "Cancel" }).click();
    await soon(() => tab.locator(".loading").count()).toBe(0);
    expect(await news(tab).count()).toBe(0);
    await computes(tab, "solu-1l-novels", PROMPT);
    await tab.context().close();
  });

  test("where the browser has no room, the model is held in memory, and the page says so", async () => {
    const tab = await app.opened(url);
    await computed(tab);
    const session = await tab.context().newCDPSession(tab);
    await session.send("Storage.overrideQuotaForOrigin", { origin: new URL(url).origin, quotaSize: 2_000_000 });
    await load(tab, gelu);
    await soon(() => facts(tab)).toContain("3 layers, 4 heads");
    await soon(() => tab.locator(".model-news .notes").textContent()).toMatch(
      /model\.safetensors of http\S+ is held in memory and will be downloaded again at the next visit, because the browser has no room for it\./,
    );
    await computes(tab, "gelu-3l-novels", PROMPT);
    await tab.context().close();
  });

  /** A page with a prompt, a change, a selection and a finding. */
  const inUse = async (browser: Browser): Promise<Page> => {
    const tab = browser === app.browser ? await app.opened(url) : await browser.newPage();
    if (browser !== app.browser) await tab.goto(url);
    await computed(tab);
    await prompt(tab).fill(PROMPT);
    await tab.getByText("Change the model's run").click();
    await tab.getByRole("button", { name: "Add a change" }).click();
    await tab.getByLabel("Name of change 1").fill("no head");
    await computed(tab);
    const token = tab.locator("#figure-surprise .token").nth(2);
    await token.click();
    await soon(() => tab.locator(".prompt-tokens .held").count()).toBe(1);
    return tab;
  };
  const entered = async (tab: Page) => [
    await prompt(tab).inputValue(),
    await tab.getByLabel("Name of change 1").inputValue(),
    await tab.locator(".prompt-tokens .held").textContent(),
    await tab.locator(".asking h1").textContent(),
  ];

  test("a worker that is killed is said to have ended, and started again with everything as it was", async () => {
    const tab = await inUse(app.browser);
    const [before, numbers] = [await entered(tab), await probabilities(tab)];
    await tab.workers()[0].evaluate(() => close());
    await soon(() => news(tab).textContent()).toMatch(/^The worker that computes has ended \(.+\)\. /);
    expect(await news(tab).textContent()).toContain(LOST);
    expect(await entered(tab)).toEqual(before);
    expect(await probabilities(tab)).toEqual(numbers);
    await news(tab).getByRole("button", { name: "Start again" }).click();
    await soon(() => news(tab).count()).toBe(0);
    expect(await entered(tab)).toEqual(before);
    await tab.getByLabel("Without changes").check();
    await computes(tab, "solu-1l-novels", `${PROMPT} then`);
    await tab.context().close();
  });

  test("an analysis whose worker is killed is not lost: it runs again in the next", async () => {
    const tab = await app.opened(url);
    await computed(tab);
    await tab.getByRole("button", { name: "ablation", exact: true }).click();
    const start = tab.locator(".asking .start");
    await start.getByRole("button", { name: "Run", exact: true }).click();
    await start.getByRole("button", { name: "Stop" }).waitFor();
    await tab.workers()[0].evaluate(() => close());
    await news(tab).getByRole("button", { name: "Start again" }).click();
    await tab.locator('[data-analysis="ablation"]').waitFor();
    expect(await tab.locator(".found .problem").count()).toBe(0);
    await tab.context().close();
  });

  test.each([
    ["script", "before", /\/worker-[\w-]+\.js$/],
    ["script", "while", /\/worker-[\w-]+\.js$/],
    ["library", "before", /\/library-[\w-]+\.js$/],
    ["library", "while", /\/library-[\w-]+\.js$/],
  ])(
    "a worker whose %s cannot be loaded says so, and is started again: %s the page is drawn",
    async (_, when, script) => {
      const context = await app.browser.newContext();
      context.setDefaultTimeout(LIMIT);
      await context.route(script, (route) => route.abort());
      const failed = context.waitForEvent("requestfailed", (request) => script.test(request.url()));
      if (when === "before") {
        await context.route(/\/page-[\w-]+\.js$/, async (route) => {
          await failed;
          await route.continue();
        });
      }
      const tab = await context.newPage();
      await tab.goto(url);
      await soon(() => news(tab).textContent()).toContain("has ended (its script could not be loaded)");
      await context.unroute(script);
      await news(tab).getByRole("button", { name: "Start again" }).click();
      await computed(tab);
      await context.close();
    },
  );

  // Both wait 20 seconds, at the same time.
  test.concurrent("a worker that does not start, and of which nothing is heard, is said not to have; it is welcome later", async () => {
    const context = await app.browser.newContext();
    context.setDefaultTimeout(LIMIT);
    const script = /\/worker-[\w-]+\.js$/;
    let answer = () => {};
    const asked = new Promise<void>((now) => {
      answer = now;
    });
    // The request is neither answered nor refused.
    await context.route(script, async (route) => {
      await asked;
      await route.continue();
    });
    const tab = await context.newPage();
    await tab.goto(url);
    await soon(() => news(tab).textContent()).toMatch(/^The worker that computes has not started for 20 seconds: /);
    expect(await news(tab).textContent()).toContain(LOST);
    answer();
    await computed(tab);
    expect(await news(tab).count()).toBe(0);
    await context.close();
  });

  test.concurrent("of such a worker another can be started in its place", async () => {
    const context = await app.browser.newContext();
    context.setDefaultTimeout(LIMIT);
    const script = /\/worker-[\w-]+\.js$/;
    await context.route(script, () => {});
    const tab = await context.newPage();
    await tab.goto(url);
    await news(tab).waitFor();
    await context.unroute(script);
    await news(tab).getByRole("button", { name: "Start again" }).click();
    await computed(tab);
    expect(await news(tab).count()).toBe(0);
    await context.close();
  });

  test("without memory for a run the page says so, and then computes a shorter prompt", async () => {
    const small = await launch({ wasmPages: 700 });
    try {
      const tab = await inUse(small);
      await prompt(tab).fill("She said that she would go home. ".repeat(25));
      await soon(() => news(tab).textContent()).toContain("not enough memory");
      await prompt(tab).fill(PROMPT);
      await news(tab).getByRole("button", { name: "Start again" }).click();
      await tab.getByLabel("Without changes").check();
      await computes(tab, "solu-1l-novels", `${PROMPT} then`);
    } finally {
      await small.close();
    }
  });

  describe("in the background", () => {
    const RUN =
      '[...document.querySelectorAll(".asking .start button")].find((one) => one.textContent.startsWith("Run"))';
    const running = 'document.querySelector(".found").ariaBusy';
    const found = 'document.querySelector("[data-analysis=ablation]:not(.outdated)") !== null';
    const started = async (): Promise<[PlainTab, PlainTab]> => {
      const open = await plainTabs(app.browser);
      const tab = await open(url);
      await soon(() => tab.evaluate(`document.querySelector("[data-of=computed]") !== null`)).toBe(true);
      await tab.evaluate(
        '[...document.querySelectorAll(".questions button")].find((one) => one.textContent === "ablation").click()',
      );
      await soon(() => tab.evaluate('document.querySelector("h1").textContent')).toContain(
        "Which heads, layers, neurons or positions",
      );
      await tab.evaluate(`${RUN}.click()`);
      await soon(() => tab.evaluate(running)).toBe("true");
      const other = await open("about:blank");
      await soon(() => tab.evaluate("document.visibilityState")).toBe("hidden");
      return [tab, other];
    };

    test("an analysis goes on, and is there when one returns", async () => {
      const [tab] = await started();
      await soon(() => tab.evaluate(found)).toBe(true);
      expect(await tab.evaluate("document.visibilityState")).toBe("hidden");
      await tab.show();
      await soon(() => tab.evaluate(`document.querySelectorAll(".found .problem").length`)).toBe(0);
    });

    test("an analysis that the browser freezes goes on when one returns", async () => {
      const [tab] = await started();
      await tab.evaluate(
        'for (const what of ["freeze", "resume"]) document.addEventListener(what, () => (document.title += what))',
      );
      await tab.freeze();
      await tab.thaw();
      await tab.show();
      await soon(() => tab.evaluate("document.title")).toContain("freezeresume");
      await soon(() => tab.evaluate(found)).toBe(true);
    });
  });

  test("two tabs that open a model at the same time download it once, and both have it", async () => {
    const tab = await app.opened(url);
    const other = await app.opened(url, { in: tab.context() });
    await computed(tab);
    await computed(other);
    server.pace = 50;
    await Promise.all([load(tab, gelu), load(other, gelu)]);
    for (const one of [tab, other]) {
      await soon(() => facts(one)).toContain("3 layers, 4 heads");
      await computes(one, "gelu-3l-novels", PROMPT);
    }
    const downloads = server.seen.filter((one) => one.startsWith("GET")).sort();
    expect(downloads).toEqual([
      "GET /files/gelu/config.json 200",
      "GET /files/gelu/model.safetensors 200",
      "GET /files/gelu/tokenizer.json 200",
    ]);
    await tab.context().close();
  });

  const file = (name: string, buffer: Buffer | string) => ({ name, mimeType: "", buffer: Buffer.from(buffer) });
  const whole = (name: string) => file(name, readFileSync(join(folder, name)));
  const weights = (buffer: (all: Buffer) => Buffer) => [
    ...["config.json", "tokenizer.json"].map(whole),
    file("model.safetensors", buffer(whole("model.safetensors").buffer)),
  ];
  describe("garbage as a model: the file and the reason, and the model that is there stays:", () => {
    let tab: Page;
    beforeAll(async () => {
      tab = await app.opened(url);
    });
    afterAll(() => tab?.context().close());

    test.each([
      ["random bytes", /^model\.safetensors is not/, () => weights(() => randomBytes(5000))],
      ["half a file", /^model\.safetensors /, () => weights((all) => all.subarray(0, 1_000_000))],
      [
        "a configuration that is not JSON",
        /^the selection\/config\.json is not JSON: /,
        () => [file("config.json", "n_layers: 3"), whole("model.safetensors")],
      ],
      [
        "a text that is called .gguf",
        /^story\.gguf /,
        () => [file("story.gguf", "Once upon a time, there was a model.")],
      ],
    ])("%s", async (what, why, files) => {
      await computed(tab);
      const before = tab.url();
      await chooser(tab).click();
      await tab.getByLabel("Files of this computer").setInputFiles(files());
      await soon(() => news(tab).textContent()).toMatch(why);
      expect(await news(tab).textContent()).toContain(". The page still has solu-1l-novels. ");
      expect([await chooser(tab).textContent(), tab.url()]).toEqual(["solu-1l-novels", before]);
      await computes(tab, "solu-1l-novels", `${PROMPT} ${what}`);
      await news(tab).getByRole("button", { name: "Close" }).click();
      expect(await news(tab).count()).toBe(0);
    });
  });

  test("ten prompts of 10,000 characters have tokens, a sentence about the context, and a file in place of a link", async () => {
    const tab = await app.opened(url);
    await computed(tab);
    const prompts = Array.from({ length: 10 }, (_, i) =>
      `${i} ${randomBytes(10_000).toString("hex")}`.slice(0, 10_000),
    );
    for (const text of prompts) {
      await prompt(tab).fill(text);
      await soon(() => tab.locator(".prompt .count").textContent()).toMatch(/^\d{4} tokens, more than the 256 that/);
      await soon(() => tab.locator(".found .problem").textContent()).toMatch(
        /^The prompt has \d{4} tokens, BOS included, but the model's context holds only 256: shorten it\.$/,
      );
    }
    await tab.getByRole("button", { name: "ablation", exact: true }).click();
    await tab.getByText("About, and options").click();
    await tab.getByLabel("prompts", { exact: true }).fill(prompts.join("\n"));
    await tab.locator(".asking .start").getByRole("button", { name: "Run", exact: true }).click();
    await soon(() => tab.locator(".found .problem").textContent()).toMatch(/context/);
    const [download] = await Promise.all([
      tab.waitForEvent("download"),
      tab.getByRole("button", { name: "Copy link" }).click(),
    ]);
    const saved = JSON.parse(readFileSync(await download.path(), "utf8"));
    expect(saved).toMatchObject({ prompt: prompts[9], options: { prompts } });
    await tab.reload();
    await soon(() => prompt(tab).inputValue()).toBe(prompts[9]);
    expect(await tab.locator(".asking h1").textContent()).toContain("Which heads");
    const fresh = await app.opened(url);
    await computed(fresh);
    await chooser(fresh).click();
    await fresh.getByLabel("Files of this computer").setInputFiles(file("state.json", JSON.stringify(saved)));
    await soon(() => prompt(fresh).inputValue()).toBe(prompts[9]);
    await fresh.context().close();
    await tab.getByRole("button", { name: "look", exact: true }).click();
    await computes(tab, "solu-1l-novels", PROMPT);
    await tab.goBack();
    await soon(() => prompt(tab).inputValue()).toBe(prompts[9]);
    await tab.context().close();
  });

  test("nothing was said on the console", () => {
    expect(app.complaints).toEqual([]);
  });
});
