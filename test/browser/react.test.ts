/** The example for React, in a project that has the package installed: built by Vite, opened in a real browser. */
import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Installed, installed, root } from "../repository/installed.ts";
import { chromiumPath, launch, type Site, serve } from "./chromium.ts";

describe.skipIf(!chromiumPath)("the example for React (skipped without /usr/bin/chromium or CHROMIUM_PATH)", () => {
  let there: Installed;
  let site: Site;
  let browser: Browser;
  let page: Page;
  const lines: string[] = [];

  beforeAll(async () => {
    there = await installed();
    const folder = join(there.project, "examples");
    cpSync(join(root, "examples"), folder, { recursive: true });
    await build({ root: join(folder, "react"), configFile: false, logLevel: "error" });
    site = await serve({
      folders: { "/models": join(there.folder, "models"), "": join(folder, "react/dist") },
      pages: {},
    });
    browser = await launch();
    page = await browser.newPage({ viewport: { width: 900, height: 900 } });
    // React's build for development mounts everything twice, and advertises its tools.
    page.on("console", (line) => /React DevTools/.test(line.text()) || lines.push(line.text()));
    page.on("pageerror", (error) => lines.push(error.message));
    await page.goto(`${site.url}/index.html`);
  });
  afterAll(async () => {
    await browser?.close();
    await site?.close();
    there?.remove();
  });

  const views = () => page.locator(".glassformer");
  const words = async (view: number) => (await views().nth(view).locator(".token").allTextContents()).join("");

  test("mounts each picture once, with what the model computed", async () => {
    await expect.poll(() => views().count(), { timeout: 30_000 }).toBe(2);
    await expect.poll(() => words(0)).toContain("<|BOS|>Alice␣was␣beginning");
    await expect.poll(() => words(1)).toContain("<|BOS|>Alice␣was␣beginning");
  });

  test("selects in all pictures what is selected in one", async () => {
    await views().nth(0).locator(".token").nth(3).click();
    await expect.poll(() => page.locator("p[role=status]").textContent()).toBe('Selected: {"pos":3}');
    await expect.poll(() => views().nth(1).locator(".status").textContent()).toContain("“␣was” (3)");
    await views().nth(1).locator(".token").nth(5).click();
    await expect.poll(() => views().nth(0).locator(".chosen").allTextContents()).toEqual(["␣to"]);
  });

  test("an unmounted picture leaves nothing behind, and shows the selection when it is back", async () => {
    await page.locator("button", { hasText: "Attention" }).first().click();
    await expect.poll(() => views().count()).toBe(1);
    await views().nth(0).locator(".token").nth(3).click();
    await page.locator("button", { hasText: "Attention" }).first().click();
    await expect.poll(() => views().nth(1).locator(".status").textContent()).toContain("“␣was” (3)");
  });

  test("other text has other pictures in their place", async () => {
    await page.locator("#text").fill("the cat sat");
    await expect.poll(() => words(0)).toContain("the␣cat␣sat");
    await expect.poll(() => words(1)).toContain("the␣cat␣sat");
    expect(await views().count()).toBe(2);
    expect(lines).toEqual([]);
  });
});

test("docs/web.md shows the example's component", () => {
  const plain = (code: string) => code.replace(/^import .*\n/gm, "").trim();
  const [, shown] = /```jsx\n(.*?)```/s.exec(readFileSync(join(root, "docs/web.md"), "utf8"))!;
  expect(plain(readFileSync(join(root, "examples/react/glass.jsx"), "utf8"))).toBe(plain(shown));
});
