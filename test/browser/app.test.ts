/** The page, as the package has it: built, served by `glassformer serve`, and used in a real browser. */
import { execFileSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import axe from "axe-core";
import type { Page, Response } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { changedModel, diffuseMlp, type Finding, HookedTransformer, look, measureLook } from "../../src/node.ts";
import { fragmentOf, stateOf } from "../../src/web-app/link.ts";
import { START } from "../../src/web-app/state.ts";
import { chromiumPath, launch } from "./chromium.ts";
import { computed, LIMIT, probabilities, type ServedApp, servedApp, soon } from "./served-app.ts";

const PROMPT = "She opened the letter and";

const title = "the page in Chromium (skipped without /usr/bin/chromium or CHROMIUM_PATH)";
describe.skipIf(!chromiumPath)(title, { timeout: 3 * LIMIT }, () => {
  let app: ServedApp;
  let url: string;
  let page: Page;

  beforeAll(async () => {
    app = await servedApp();
    url = app.url;
    page = await app.opened(url);
  });
  afterAll(() => app?.close());

  test("shows what is stored with it, then what it computed itself: the numbers of Node", async () => {
    await page.locator(".finding figure svg").first().waitFor();
    await computed(page);
    const model = await HookedTransformer.fromPretrained("solu-1l-novels");
    const { next } = await measureLook(model);
    const found = await probabilities(page);
    expect(found).toHaveLength(next.length);
    for (const [i, { probability }] of next.rows.entries()) expect(found[i]).toBeCloseTo(probability, 4);
  });

  test("leaves no service worker at the server's address, which another program may have tomorrow", async () => {
    expect(await page.evaluate(async () => (await navigator.serviceWorker.getRegistrations()).length)).toBe(0);
  });

  test("runs in threads, because the server isolates it", async () => {
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
  });

  test("shows the tokens of a prompt as it is typed, and computes it", async () => {
    await page.getByLabel("Prompt", { exact: true }).fill(PROMPT);
    const tokens = page.locator(".prompt-tokens .token");
    await soon(() => tokens.allTextContents()).toEqual(["BOS", "She", "␣opened", "␣the", "␣letter", "␣and"]);
    await soon(() => page.locator(".finding .lead").textContent()).not.toContain("head");
    await computed(page);
  });

  test("selects a place by a click, and releases it by another", async () => {
    const token = page.locator("#figure-surprise .token").nth(2);
    await token.click();
    await soon(() => page.locator(".found .chosen, .prompt-tokens .held").count()).toBeGreaterThan(1);
    await token.click();
    await soon(() => page.locator(".found .chosen, .prompt-tokens .held").count()).toBe(0);
    await token.click();
  });

  test("a link reopened in a fresh browser shows the same state and the same numbers, which are Node's", async () => {
    await page.getByRole("button", { name: "Copy link" }).click();
    await page.getByRole("button", { name: "Link copied" }).waitFor();
    const link = await page.evaluate(() => navigator.clipboard.readText());
    expect(link).toMatch(/#1\.[\w-]+$/);
    const fresh = await app.opened(link);
    await computed(fresh);
    expect(await fresh.getByLabel("Prompt", { exact: true }).inputValue()).toBe(PROMPT);
    await soon(() => fresh.locator(".found .chosen, .prompt-tokens .held").count()).toBeGreaterThan(1);
    const found = await probabilities(fresh);
    expect(found).toEqual(await probabilities(page));
    const model = await HookedTransformer.fromPretrained("solu-1l-novels");
    const { next } = await measureLook(model, { prompt: PROMPT });
    for (const [i, { probability }] of next.rows.entries()) expect(found[i]).toBeCloseTo(probability, 4);
    await fresh.context().close();
  });

  test("embedded, it is one picture", async () => {
    const link = await page.evaluate(() => navigator.clipboard.readText());
    const embedded = await app.opened(link.replace("/#", "/?embed=1#"), { viewport: { width: 640, height: 480 } });
    await embedded.locator("figure svg").first().waitFor();
    expect(await embedded.locator("figure").count()).toBe(1);
    expect(await embedded.locator("textarea, nav").count()).toBe(0);
    await embedded.context().close();
  });

  test("every analysis is a form; one that reads the prompt runs when it is chosen, with its progress and its code", async () => {
    const questions = page.locator(".questions li button");
    expect(await questions.count()).toBeGreaterThan(15);
    await page.getByRole("button", { name: "logit lens", exact: true }).click();
    await soon(() => page.locator("[data-analysis]").getAttribute("data-analysis")).toBe("logit-lens");
    await computed(page);
    await page.goBack();
    await soon(() => page.locator(".asking h1").textContent()).toBe("What does the model make of this text?");
    await page.goForward();
    await expect
      .poll(() => page.locator(".asking h1").textContent())
      .not.toBe("What does the model make of this text?");
  });

  test("Back undoes the last step, also immediately after it, and Forward takes it again", async () => {
    const heading = () => page.locator(".asking h1").textContent();
    const before = await heading();
    await page.evaluate(() => {
      const [ablation] = [...document.querySelectorAll("nav button")].filter((one) => one.textContent === "ablation");
      (ablation as HTMLElement).click();
      history.back();
    });
    await new Promise((quiet) => setTimeout(quiet, 500));
    expect(await heading()).toBe(before);
    await page.goForward();
    await soon(() => page.locator("nav [aria-current]").textContent()).toBe("ablation");
    await soon(async () => (await stateOf(new URL(page.url()).hash)).analysis).toBe("ablation");
    await page.goBack();
    await soon(heading).toBe(before);
    await computed(page);
  });

  test("a number out of range is refused in the library's sentence", async () => {
    await page.getByText("About, and options").click();
    await page.getByLabel("top", { exact: true }).fill("0");
    await expect
      .poll(() => page.locator(".found .problem").textContent())
      .toContain("top must be a whole number from 1");
    await page.getByLabel("top", { exact: true }).fill("");
    await computed(page);
  });

  test("an analysis of many prompts waits for its button, and can be stopped", async () => {
    await page.getByRole("button", { name: "ablation", exact: true }).click();
    const start = page.locator(".asking .start");
    await start.getByRole("button", { name: "Run", exact: true }).click();
    await start.getByRole("button", { name: "Stop" }).click();
    await start.getByRole("button", { name: "Run", exact: true }).waitFor();
    expect(await page.locator(".found .problem").count()).toBe(0);
  });

  test("continues the prompt, token by token", async () => {
    await page.getByText("Continue the prompt").click();
    await page.getByLabel("max new tokens").fill("5");
    await page.getByRole("button", { name: "Continue", exact: true }).click();
    const model = await HookedTransformer.fromPretrained("solu-1l-novels");
    const text = (await model.generate(PROMPT, { maxNewTokens: 5 })) as string;
    await soon(() => page.locator(".written").textContent()).toBe(text);
  });

  test("saves the finding as JSON, which is the finding", async () => {
    await page.getByRole("button", { name: "look", exact: true }).click();
    await soon(() => page.locator("[data-analysis]").getAttribute("data-analysis")).toBe("look");
    await computed(page);
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Save as JSON", exact: true }).click(),
    ]);
    const found = JSON.parse(readFileSync(await download.path(), "utf8")) as Finding;
    const model = await HookedTransformer.fromPretrained("solu-1l-novels");
    const here = await look(model, { prompt: PROMPT });
    expect(found.tables.map(({ name }) => name)).toEqual(here.tables.map(({ name }) => name));
    const { command, code, checksum } = found.provenance!;
    expect(command).toBe(`npx glassformer look --model solu-1l-novels --prompt '${PROMPT}'`);
    const main = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
    const args = ["look", "--model", "solu-1l-novels", "--prompt", PROMPT, "--json"];
    const typed = execFileSync(process.execPath, ["--import", "tsx", main, ...args], {
      encoding: "utf8",
      maxBuffer: 1e8,
    });
    const { provenance } = JSON.parse(typed) as Finding;
    expect({ command, code, checksum }).toEqual({ ...provenance, version: undefined, date: undefined });
  });

  test("saves a picture as PNG, and a table as CSV", async () => {
    const part = page.getByLabel("A picture or table to save");
    const saved = async (form: string) => {
      const button = page.locator(".found").getByRole("button", { name: form, exact: true });
      const [download] = await Promise.all([page.waitForEvent("download"), button.click()]);
      return readFileSync(await download.path());
    };
    await part.selectOption({ label: "picture: The most probable next tokens" });
    expect([...(await saved("PNG")).subarray(1, 4)]).toEqual([80, 78, 71]);
    await part.selectOption({ label: "table: The most probable next tokens" });
    expect(`${await saved("CSV")}`).toMatch(/^token,/);
  });

  test("a change of the run shows what it does, before and after: the numbers of a hook in Node", async () => {
    await page.getByText("Change the model's run").click();
    await page.getByRole("button", { name: /^(Add a change|Change what is selected)$/ }).click();
    await page.locator("#change-1-what").selectOption("mlp");
    await page.locator("#change-1-layer").fill("0");
    await page.locator("#change-1-position").fill("");
    const effect = page.getByRole("region", { name: "Before and after" });
    const model = await HookedTransformer.fromPretrained("solu-1l-novels");
    const logits = await model.runWithHooks(PROMPT, {
      fwdHooks: [["blocks.0.hook_mlp_out", (x) => x.mul(0)]],
      logitsPos: -1,
    });
    const after = (await logits.softmax("d_vocab").topK(3, "d_vocab").values.compute()).data;
    const cells = () =>
      effect
        .locator("#table-next tbody tr td:nth-child(3)")
        .evaluateAll((all) => all.map((td) => Number((td as HTMLElement).dataset.v)).sort((a, b) => b - a));
    await soon(async () => Math.abs((await cells())[0] - after[0])).toBeLessThan(1e-4);
    for (const [i, probability] of Array.from(after).entries()) {
      expect((await cells())[i]).toBeCloseTo(probability as number, 4);
    }
    await effect.locator("xpath=..").getByRole("button", { name: "Copy TypeScript" }).first().click();
    await soon(() => page.evaluate(() => navigator.clipboard.readText())).toContain(`["blocks.0.hook_mlp_out"`);
  });

  test("the finding is of the changed run, and says so, unless one wants it without: the numbers of Node", async () => {
    const model = await HookedTransformer.fromPretrained("solu-1l-novels");
    const changed = await changedModel(model, PROMPT, [{ what: "mlp", layer: 0 }]);
    const shows = async (of: HookedTransformer) => {
      const { next } = await measureLook(of, { prompt: PROMPT });
      const most = next.rows[0].probability;
      await soon(async () =>
        Math.abs(
          (
            await page
              .locator(".found")
              .locator("#table-next tbody tr td:nth-child(2)")
              .evaluateAll((all) => all.map((td) => Number((td as HTMLElement).dataset.v)))
          )[0] - most,
        ),
      ).toBeLessThan(1e-4);
    };
    await shows(changed);
    const caveat = "All numbers are of a run with changes: mlp of layer 0: zero.";
    await page.locator(".found").getByText(caveat).first().waitFor({ state: "attached" });
    await page.getByLabel("Without changes").check();
    await shows(model);
    await page.getByLabel("Without changes").uncheck();
    await shows(changed);
    await page.getByRole("button", { name: "ablation", exact: true }).click();
    await soon(() => page.locator(".run-of").textContent()).toContain("it reads other texts than the prompt");
    await page.goBack();
    await computed(page);
  });

  test("changes are switched, named and removed, and their link has them", async () => {
    const before = page.url();
    await page.getByLabel("Name of change 1").fill("no MLP");
    await soon(() => page.url()).not.toBe(before);
    const fresh = await app.opened(page.url());
    await soon(() => fresh.getByLabel("Name of change 1").inputValue()).toBe("no MLP");
    await fresh.getByLabel("Change 1 is on").uncheck();
    await fresh.getByRole("region", { name: "Before and after" }).waitFor({ state: "detached" });
    await fresh.getByRole("button", { name: "Remove change 1" }).click();
    await soon(() => fresh.getByLabel("Name of change 1").count()).toBe(0);
    await fresh.context().close();
  });

  test("takes pasted lines as prompts if one wants that, switches them by click and keyboard, and removes them", async () => {
    const both = ["She opened the letter and", "He took her by the hand and"];
    const tab = await app.opened(url);
    await computed(tab);
    const field = tab.getByLabel("Prompt", { exact: true });
    await field.fill(both.join("\n"));
    await soon(() => tab.locator(".prompt-tokens .token").allTextContents()).toContain("⏎");
    await tab.getByRole("button", { name: "Take the 2 lines as 2 prompts" }).click();
    await soon(() => field.inputValue()).toBe(both[0]);
    await tab.getByRole("button", { name: both[1] }).click();
    await soon(() => field.inputValue()).toBe(both[1]);
    await soon(() => tab.locator(".prompt-tokens .token").allTextContents()).toContain("␣hand");
    await soon(() => tab.evaluate(() => document.activeElement?.id)).toBe("prompt");
    for (const key of ["Shift+Tab", "Shift+Tab", "Enter"]) await tab.keyboard.press(key);
    await soon(() => field.inputValue()).toBe(both[0]);
    await soon(() => tab.evaluate(() => document.activeElement?.id)).toBe("prompt");
    await soon(async () => (await stateOf(new URL(tab.url()).hash)).prompt).toBe(both[0]);
    await tab.goBack();
    await soon(() => field.inputValue()).toBe(both[1]);

    const fresh = await app.opened(tab.url());
    await fresh.getByRole("button", { name: both[0] }).waitFor();
    await fresh.getByRole("button", { name: "diffuse mlp", exact: true }).click();
    await fresh.getByText("About, and options").click();
    await fresh.getByRole("button", { name: "Take the page's 2 prompts" }).click();
    await fresh.locator(".asking").getByRole("button", { name: "Run", exact: true }).click();
    await computed(fresh);
    const [download] = await Promise.all([
      fresh.waitForEvent("download"),
      fresh.getByRole("button", { name: "Save as JSON", exact: true }).click(),
    ]);
    const found = JSON.parse(readFileSync(await download.path(), "utf8")) as Finding;
    const here = await diffuseMlp(await HookedTransformer.fromPretrained("solu-1l-novels"), { prompts: both });
    // Figures differ in their last digits; as text they do not.
    expect(found.summary.map(({ text }) => text)).toEqual(here.summary.map(({ text }) => text));
    expect(found.provenance?.command).toContain(both[1]);
    await fresh.getByRole("button", { name: "Remove prompt 2" }).click();
    await soon(() => fresh.getByLabel("Prompt", { exact: true }).inputValue()).toBe(both[0]);
    expect(await fresh.getByRole("button", { name: /^Remove prompt/ }).count()).toBe(0);
    await fresh.context().close();
    await tab.context().close();
  });

  test("a link has a picture's head, switches and zoom, of which Back undoes the head alone", async () => {
    const prompt = Array(14).fill("She opened the letter and").join(" ");
    const long = await fragmentOf({ ...START, analysis: "attention-patterns", prompt });
    const tab = await app.opened(`${url}${long}`);
    await computed(tab);
    const head = (of: Page) => of.locator(".finding .head.on").first().getAttribute("data-tip");
    const zoom = (of: Page) => of.locator(".finding .zoom output").first().textContent();
    const pictures = async () => Object.values((await stateOf(new URL(tab.url()).hash)).pictures)[0];
    const first = await head(tab);
    const entries = await tab.evaluate(() => history.length);
    for (let times = 0; times < 2; times++) await tab.getByLabel("larger").first().click();
    await tab.locator(".finding [data-switch=first]").first().click();
    await soon(pictures).toEqual({ zoom: 4, hideFirst: true });
    expect(await tab.evaluate(() => history.length)).toBe(entries);
    const zoomed = await zoom(tab);
    await tab.locator(".finding .head:not(.on)").last().click();
    await soon(async () => Object.keys(await pictures())).toContain("head");
    const other = await head(tab);
    expect(other).not.toBe(first);

    const fresh = await app.opened(tab.url());
    await computed(fresh);
    await soon(() => head(fresh)).toBe(other);
    expect(await zoom(fresh)).toBe(zoomed);
    expect(await fresh.locator(".finding [data-switch=first]").first().getAttribute("aria-pressed")).toBe("true");
    await fresh.context().close();

    await tab.mouse.move(1, 1); // a head under the pointer is shown
    await tab.goBack();
    await soon(() => head(tab)).toBe(first);
    expect(await zoom(tab)).toBe(zoomed);
    await tab.goForward();
    await soon(() => head(tab)).toBe(other);
    await tab.context().close();
  });

  test("opens files of this computer, which a link does not have", async () => {
    const fresh = await app.opened(url);
    await fresh.getByRole("button", { name: "solu-1l-novels", exact: true }).click();
    const folder = join(app.there.folder, "models/gelu-3l-novels");
    const files = ["config.json", "model.safetensors", "tokenizer.json"].map((name) => join(folder, name));
    await fresh.getByLabel("Files of this computer").setInputFiles(files);
    await soon(() => fresh.locator(".model > small").textContent()).toContain("3 layers, 4 heads");
    await computed(fresh);
    const model = await HookedTransformer.fromPretrained("gelu-3l-novels");
    const { next } = await measureLook(model);
    const found = await probabilities(fresh);
    for (const [i, { probability }] of next.rows.entries()) expect(found[i]).toBeCloseTo(probability, 4);
    const link = fresh.url();
    await fresh.context().close();
    const elsewhere = await app.opened(link);
    await soon(() => elsewhere.locator(".model-news .problem").textContent()).toContain("choose them again");
    await elsewhere.context().close();
  });

  // A graphics processor made of software takes its time.
  const onGpu = { timeout: 6 * LIMIT };
  test(
    "computes on WebGPU where that is chosen: the numbers of Node; a link of it opens without one, too",
    onGpu,
    async () => {
      const model = await HookedTransformer.fromPretrained("solu-1l-novels");
      const { next } = await measureLook(model);
      const on = (tab: Page) => tab.locator(".model > small").textContent();
      const withGpu = await launch({ webgpu: true });
      const tab = await app.opened(url, { in: await withGpu.newContext() });
      await computed(tab);
      expect(await on(tab)).toMatch(/ · WebAssembly, \d+ threads?$/);
      const onProcessor = await probabilities(tab);
      await tab.locator(".model > button").click();
      await tab.getByLabel("WebGPU").last().check();
      await soon(() => on(tab)).toMatch(/ · WebGPU$/);
      await computed(tab, 4 * LIMIT);
      // Graphics processors round in their own way.
      await soon(() => probabilities(tab)).not.toEqual(onProcessor);
      const found = await probabilities(tab);
      for (const [i, { probability }] of next.rows.entries()) expect(found[i]).toBeCloseTo(probability, 4);
      const link = tab.url();
      await withGpu.close();

      const without = await app.opened(link);
      await soon(() => on(without)).toMatch(/WebAssembly, \d+ threads?, not WebGPU: this browser finds no graphics/);
      await computed(without);
      expect((await probabilities(without))[0]).toBeCloseTo(next.rows[0].probability, 4);
      await without.locator(".model > button").click();
      await soon(() => without.getByLabel("WebGPU").last().isDisabled()).toBe(true);
      await without.getByLabel("Automatic").check();
      await soon(() => on(without)).toMatch(/ · WebAssembly, \d+ threads?$/);
      await without.context().close();
    },
  );

  test("lists what the browser stores of models, and deletes it by keyboard", async () => {
    const fresh = await app.opened(url);
    await computed(fresh);
    const chooser = fresh.locator(".model > button");
    await chooser.click();
    await fresh.getByLabel("Hugging Face id, short name, or address").fill(`${url}models/gelu-3l-novels`);
    await fresh.keyboard.press("Enter");
    await soon(() => fresh.locator(".model > small").textContent()).toContain("3 layers, 4 heads");
    await chooser.click();
    const stored = fresh.getByRole("region", { name: "Stored in this browser" });
    const buttons = () =>
      stored.getByRole("button").evaluateAll((all) => all.map((one) => one.ariaLabel ?? one.textContent));
    await soon(buttons).toHaveLength(4);
    const [gelu, deleteGelu, , deleteSolu] = await buttons();
    // The configuration, the weights and the tokenizer.
    expect(gelu).toMatch(/^gelu-3l-novels [\d.]+ MB, \d+ \w+ \d{4}$/);
    const folder = join(app.there.folder, "models/gelu-3l-novels");
    const bytes = ["config.json", "model.safetensors", "tokenizer.json"].map(
      (name) => statSync(join(folder, name)).size,
    );
    expect(Number.parseFloat(gelu.split(" ")[1])).toBeCloseTo(bytes.reduce((a, b) => a + b) / 1e6, 1);
    expect([deleteGelu, deleteSolu]).toEqual(["Delete gelu-3l-novels", "Delete solu-1l-novels"]);
    await stored.getByRole("button", { name: "Delete solu-1l-novels" }).press("Enter");
    await soon(buttons).toEqual([gelu, deleteGelu]);
    await soon(() => stored.getByRole("status").textContent()).toMatch(
      /^solu-1l-novels is deleted: [\d.]+ MB are free again\.$/,
    );
    expect(await fresh.evaluate(() => document.activeElement?.id)).toBe("stored-models");
    await fresh.context().close();
  });

  test("has nothing that axe complains about, light or dark, wide or narrow", async () => {
    for (const [width, colorScheme] of [
      [1280, "light"],
      [390, "dark"],
    ] as const) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 900 });
      await page.reload();
      await computed(page);
      await page.evaluate(`${axe.source}; undefined`);
      const violations = () =>
        page.evaluate(async () => {
          const found = await (globalThis as never as { axe: typeof axe }).axe.run();
          return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" | ")}`);
        });
      // Colours follow the page's once they are drawn.
      await soon(violations).toEqual([]);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      expect(overflow).toBeLessThanOrEqual(0);
    }
  });

  test("its first result takes scripts of under 250 KB compressed, with those of its worker and without onnxruntime", async () => {
    const scripts: Response[] = [];
    const isOwn = (path: string) => path.endsWith(".js") && !/\/ort\.[^/]*$/.test(path);
    const tab = await app.opened("about:blank");
    tab.on("response", (response) => {
      if (isOwn(new URL(response.url()).pathname)) scripts.push(response);
    });
    await tab.goto(url);
    await computed(tab);
    const texts = await Promise.all(scripts.map((response) => response.body()));
    const names = scripts.map((response) => new URL(response.url()).pathname);
    for (const one of ["/page-", "/worker-", "/look-"]) {
      expect(names.filter((name) => name.startsWith(one))).toHaveLength(1);
    }
    // Otherwise the worker, which takes longest, would begin after the page's script has arrived.
    const [entry] = texts.filter((_, i) => names[i].startsWith("/index-"));
    expect(`${entry}`).not.toMatch(/(from|import) ?"\.\/app-/);
    expect(names.filter((name) => /^\/(ablation|pth|gguf|families|document)-/.test(name))).toEqual([]);
    expect(texts.reduce((sum, text) => sum + gzipSync(text).length, 0)).toBeLessThan(250e3);
    await tab.context().close();
  });

  test("nothing moves while it loads, wide or narrow", async () => {
    for (const width of [1280, 390]) {
      const tab = await app.opened(url, { viewport: { width, height: 900 } });
      await computed(tab);
      const shifts = await tab.evaluate(
        () =>
          new Promise<number[]>((found) => {
            const values = (list: PerformanceObserverEntryList) =>
              list.getEntries().map((entry) => (entry as PerformanceEntry & { readonly value: number }).value);
            new PerformanceObserver((list) => found(values(list))).observe({ type: "layout-shift", buffered: true });
            setTimeout(() => found([]), 1000);
          }),
      );
      expect(shifts.reduce((sum, value) => sum + value, 0)).toBeLessThan(0.02);
      await tab.context().close();
    }
  });

  test("nothing was said on the console", () => {
    expect(app.complaints).toEqual([]);
  });
});
