/** Pages for everybody: what axe-core finds in them, and what the keyboard reaches. */
import axeCore from "axe-core";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { attentionHeads, bar, hist, imshow, line, scatter, tokens, topkTokens } from "../../src/report/index.ts";
import { render } from "../../src/report/render.ts";
import { hasChromium, launch } from "./chromium.ts";
import { seedFinding } from "./seed-finding.ts";

const seed = seedFinding();
const ramp = Array.from({ length: 9 }, (_, r) => Array.from({ length: 9 }, (_, c) => (9 * r + c - 40) / 40));

/** A finding with a picture of each kind; its colours go over the whole scale. */
const gallery = {
  ...seed,
  parts: [],
  tables: seed.tables.map(({ part: _, ...table }) => table),
  pictures: [
    imshow(ramp, { x: "head", y: "layer", color: { unit: "logits" } }),
    imshow(ramp, { color: { scheme: "Viridis" } }),
    imshow([ramp.slice(0, 4), ramp.slice(4, 8)], { facet: "site" }),
    line({ clean: ramp[0], ablated: ramp[1] }, { references: [{ kind: "y", at: 0, label: "no effect" }] }),
    scatter(ramp[0], ramp[1], { labels: ramp[0].map((_, i) => `L0H${i}`) }),
    hist(ramp.flat()),
    bar(ramp[3], { total: "sum" }),
    tokens(["a", " b", " c", " d"], { one: [-1, -0.5, 0.5, 1], two: [-0.7, -0.3, 0.3, 0.7] }),
    attentionHeads(
      ["a", " b", " c"],
      [0, 3].map((first) => ramp.slice(first, first + 3).map((row) => row.slice(6).map(Math.abs))),
    ),
    topkTokens(
      Array.from({ length: 9 }, (_, i) => `t${i}`),
      ramp,
    ),
  ].map(({ spec }, i) => ({ ...spec, name: `picture-${i}`, title: `Picture ${i}` })),
};

describe.skipIf(!hasChromium)("a report's page (skipped without /usr/bin/chromium)", () => {
  let chromium: Awaited<ReturnType<typeof launch>>;
  beforeAll(async () => {
    chromium = await launch();
  });
  afterAll(() => chromium?.close());

  /** What axe-core finds wrong: the rule, and the first elements. */
  async function violations(page: Page): Promise<string[]> {
    // The page's policy allows no other script, so it comes in through the debugger.
    await page.evaluate(axeCore.source);
    return page.evaluate(async () => {
      const { axe } = window as unknown as {
        axe: { run(): Promise<{ violations: { id: string; nodes: { html: string; failureSummary: string }[] }[] }> };
      };
      const found = await axe.run();
      return found.violations.map(
        ({ id, nodes }) => `${id} × ${nodes.length}: ${nodes[0].html.slice(0, 160)} ${nodes[0].failureSummary}`,
      );
    });
  }

  for (const colorScheme of ["light", "dark"] as const) {
    for (const [name, finding] of Object.entries({ seed, gallery })) {
      it(`passes axe-core, ${colorScheme}: ${name}`, async () => {
        const { page } = await chromium.open(await render(finding as typeof seed, "html"), { colorScheme });
        expect(await violations(page)).toEqual([]);
        await page.close();
      });
    }
  }

  const tip = (page: Page) => page.locator("#tip").textContent();
  const focused = (page: Page) => page.evaluate(() => document.activeElement?.getAttribute("aria-label"));
  const press = async (page: Page, keys: readonly string[]) => {
    for (const key of keys) await page.keyboard.press(key);
  };

  it("has one tab stop for the cells of a heatmap, and arrows between them", async () => {
    const { page } = await chromium.open(await imshow(ramp, { x: "head", y: "layer" }).html());
    await press(page, ["Tab"]);
    expect(await focused(page)).toBe("layer 0, head 0: −1");
    expect(await tip(page)).toBe("layer 0, head 0: −1");
    await press(page, ["ArrowRight", "ArrowDown", "ArrowDown"]);
    expect(await focused(page)).toBe("layer 2, head 1: −0.525");
    await press(page, ["ArrowLeft", "ArrowLeft"]);
    expect(await focused(page)).toBe("layer 2, head 0: −0.55");
    await press(page, ["End"]);
    expect(await focused(page)).toBe("layer 8, head 8: 1");
    await press(page, ["Tab"]);
    expect(await page.evaluate(() => document.activeElement === document.body)).toBe(true);
    await page.close();
  });

  it("reaches every point of a scatter by arrows", async () => {
    const xs = [3, 1, 2, 2, 5];
    const { page } = await chromium.open(await scatter(xs, [1, 2, 3, 4, 0], { x: "size", y: "effect" }).html());
    await press(page, ["Tab", "Home"]);
    for (let i = 0; i < 5; i++) await press(page, ["ArrowLeft"]);
    const seen = [await focused(page)];
    for (let i = 0; i < 4; i++) {
      await press(page, ["ArrowRight"]);
      seen.push(await focused(page));
    }
    expect(seen).toEqual([
      "size 1, effect 2",
      "size 2, effect 4",
      "size 2, effect 3",
      "size 3, effect 1",
      "size 5, effect 0",
    ]);
    await page.close();
  });

  it("reaches cells that are pixels, too", async () => {
    const many = Array.from({ length: 80 }, (_, r) => Array.from({ length: 80 }, (_, c) => r - c));
    const { page } = await chromium.open(await imshow(many, { x: "key", y: "query", color: { unit: "nats" } }).html());
    await press(page, ["Tab", "ArrowRight", "ArrowRight", "ArrowDown"]);
    expect(await focused(page)).toBe("query 1, key 2: −1 nats");
    expect(await tip(page)).toBe("query 1, key 2: −1 nats");
    await page.close();
  });

  it("has one tab stop for all texts of tokens, and arrows from text to text", async () => {
    const { page } = await chromium.open(await tokens(["a", " b"], { one: [1, 2], two: [3, 4] }).html());
    expect(await page.locator(".token[tabindex='0']").count()).toBe(1);
    await press(page, ["Tab", "ArrowRight", "ArrowDown"]);
    expect(await tip(page)).toBe("“␣b” at position 1\none: 2\ntwo: 4");
    expect(await page.locator(".tokens").nth(1).locator(".token[tabindex='0']").count()).toBe(1);
    await page.close();
  });
});
