/** What a page can do while the engine runs in it: between runs timers fire, the page is painted, and an abort is noticed. */
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chromiumPath, launch, open, type Site, servePage } from "./chromium.ts";
import type { Running } from "./pages/running.ts";

declare const running: Running;

const models = fileURLToPath(new URL("../../models", import.meta.url));

describe.skipIf(!chromiumPath)(
  "a page while the engine runs (skipped without /usr/bin/chromium or CHROMIUM_PATH)",
  () => {
    let site: Site;
    let browser: Browser;
    let page: Page;

    beforeAll(async () => {
      site = await servePage("running", { "/models": models });
      browser = await launch();
      page = await open(browser, site.url, "running");
    });
    afterAll(async () => {
      await browser?.close();
      await site?.close();
    });

    test("a timer keeps firing and the growing text is painted while a prompt is continued", async () => {
      const { ticks, painted } = await page.evaluate(() => running.generate());
      expect(ticks).toBeGreaterThanOrEqual(10);
      expect(painted.length).toBeGreaterThan(3);
    });

    test("a timer keeps firing and the progress is painted during activation patching", async () => {
      const { ticks, painted } = await page.evaluate(() => running.patch());
      expect(ticks).toBeGreaterThanOrEqual(10);
      expect(painted.length).toBeGreaterThan(3);
    });

    test("in a worker that a page makes the whole library runs, and a PNG is refused with the reason", async () => {
      const { summary, png } = await page.evaluate(() => running.ownWorker());
      expect(summary[0].text.length).toBeGreaterThan(10);
      expect(png).toMatch(
        /^GlassformerError: A PNG cannot be drawn in a worker, because browsers only read SVG in a page/,
      );
    });

    test.each(["abortGenerate", "abortPatch", "abortForward", "abortTrain"] as const)(
      "an abort by a timer ends the work within the step that runs: %s",
      async (work) => {
        const { error, steps, stepsAfter } = await page.evaluate((name) => running[name](), work);
        expect(error).toBe("AbortError");
        expect(stepsAfter).toBeLessThanOrEqual(1);
        expect(steps).toBeLessThan(9);
      },
    );
  },
);
