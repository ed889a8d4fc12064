import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HEAD, LAYER } from "../../src/finding/columns.ts";
import { tableOf } from "../../src/finding/table.ts";
import { render } from "../../src/report/index.ts";
import { hasChromium, launch } from "./chromium.ts";
import { seedFinding } from "./seed-finding.ts";

const rows = [0, 1].flatMap((layer) => [0, 1, 2].map((head) => ({ layer, head, score: layer + head / 10 })));
const heads = tableOf({ name: "heads", title: "Heads" }, rows, [
  [LAYER, ({ layer }) => layer],
  [HEAD, ({ head }) => head],
  [{ name: "score", title: "score", description: "A score." }, ({ score }) => score],
]);

describe.skipIf(!hasChromium)("a place of a report, in Chromium (skipped without /usr/bin/chromium)", () => {
  let chromium: Awaited<ReturnType<typeof launch>>;
  beforeAll(async () => {
    chromium = await launch();
  });
  afterAll(() => chromium?.close());

  it("lights up in other pictures and tables with the same place, and goes out again", async () => {
    const base = { table: "heads", title: "" } as const;
    const html = await render(
      {
        ...seedFinding(),
        tables: [heads],
        parts: [],
        pictures: [
          { ...base, kind: "imshow", name: "cells", x: "head", y: "layer", color: "score" },
          { ...base, kind: "scatter", name: "points", x: "head", y: "score" },
        ],
        summary: [{ text: "An answer." }],
        baselines: [],
      },
      "html",
    );
    const { page, messages } = await chromium.open(html);
    const lit = () =>
      page
        .locator(".lit:visible")
        .evaluateAll((all) => all.map((one) => `${one.tagName.toLowerCase()} ${one.getAttribute("data-at")}`));
    await page.locator('#figure-cells .wide rect[data-at="layer=1 head=2"]').hover();
    expect((await lit()).sort()).toEqual(["circle layer=1 head=2", "tr layer=1 head=2"]);
    await page.locator('tr[data-at="layer=0 head=1"]').hover();
    expect((await lit()).sort()).toEqual(["circle layer=0 head=1", "rect layer=0 head=1"]);
    await page.locator("h1").hover();
    expect(await lit()).toEqual([]);
    expect(messages).toEqual([]);
    await page.close();
  });
});
