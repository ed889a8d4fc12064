/** What a reader sees of a report without scrolling, and on paper: real findings in a real browser. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { analysisCalled, HookedTransformer, render } from "../../src/node.ts";
import { hasChromium, launch } from "./chromium.ts";

const PAIR = { clean: "My sister was angry, because", corrupted: "My brother was angry, because" };
const REPORTS = [
  ["diffuse-mlp", {}],
  ["activation-patching", PAIR],
  ["attribution-patching", PAIR],
] as const;

/** A4 less margins of 1 cm, in CSS pixels. */
const A4 = 718;

describe.skipIf(!hasChromium)("a report (skipped without /usr/bin/chromium)", () => {
  let chromium: Awaited<ReturnType<typeof launch>>;
  let model: HookedTransformer;

  beforeAll(async () => {
    [chromium, model] = await Promise.all([launch(), HookedTransformer.fromPretrained("solu-1l-novels")]);
  });
  afterAll(() => chromium?.close());

  it.each(REPORTS)(
    "of %s shows its answer's picture in the first 900 pixels, and is not cut off on paper",
    async (name, options) => {
      const finding = await analysisCalled(name).run(model, options);
      const { page } = await chromium.open(await render(finding, "html"), { viewport: { width: 1280, height: 900 } });
      const lead = (await page.locator(".lead").boundingBox())!;
      const picture = (await page.locator("figure").first().boundingBox())!;
      expect(lead.y + lead.height).toBeLessThan(picture.y);
      expect(picture.y).toBeLessThan(320);
      expect(picture.y + picture.height).toBeLessThan(900);

      await page.setViewportSize({ width: A4, height: 1047 });
      await page.emulateMedia({ media: "print" });
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(A4);
      const beyond = await page
        .locator("td, th, svg")
        .evaluateAll((all, width) => all.filter((one) => one.getBoundingClientRect().right > width + 1).length, A4);
      expect(beyond).toBe(0);
      await page.close();
    },
  );
});
