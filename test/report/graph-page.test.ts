/** A graph on a page, in a real browser: what pointing, pressing, keys and the slider do, and what its buttons save. */
import { readFile } from "node:fs/promises";
import axeCore from "axe-core";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Finding } from "../../src/finding/finding.ts";
import { column, tableOf } from "../../src/finding/table.ts";
import { renderHtml } from "../../src/report/html.ts";
import { hasChromium, launch } from "./chromium.ts";
import { graphOfWords } from "./graph-of-words.ts";
import { seedFinding } from "./seed-finding.ts";

/** A finding with such a graph, and with the tables that it is a part of. */
function graphFinding(): Finding {
  const spec = graphOfWords();
  const nodes = spec.nodes.map(({ name, id, label, share = 0 }) => ({
    ...{ node: name, id: id!, token: label!, activation: 1, share, influence: 0.1, logit_weight: 0.9 },
  }));
  const edges = spec.edges.map(({ from, to, weight }) => {
    return { source: spec.nodes[from].name, target: spec.nodes[to].name, weight };
  });
  const of = (name: string) => column(name, "What it is.");
  const { provenance: _, ...seed } = seedFinding();
  return {
    ...seed,
    pictures: [spec],
    tables: [
      tableOf({ name: "all-nodes", title: "Nodes" }, nodes, Object.keys(nodes[0]).map(of) as never),
      tableOf({ name: "all-edges", title: "Edges" }, edges, Object.keys(edges[0]).map(of) as never),
    ],
  } as Finding;
}

describe.skipIf(!hasChromium)("a graph on a page (skipped without /usr/bin/chromium)", () => {
  let chromium: Awaited<ReturnType<typeof launch>>;
  let html: string;
  beforeAll(async () => {
    chromium = await launch();
    html = await renderHtml(graphFinding());
  });
  afterAll(() => chromium?.close());

  const open = async (width = 900) => {
    const opened = await chromium.open(html, { viewport: { width, height: 900 }, reducedMotion: "reduce" });
    return opened;
  };
  const node = (page: Page, name: string) => page.locator(`.drawing [data-node][data-tip^="${name}"]`);
  const namesOf = (page: Page, which = "") =>
    page
      .locator(`.drawing [data-node]${which}`)
      .evaluateAll((all) => all.map((one) => (one as HTMLElement).dataset.tip!.split("\n")[0]));
  const clear = (page: Page) => namesOf(page, ":not(.faded)");
  const tip = (page: Page) => page.locator("#tip").textContent();
  const act = (page: Page, name: string) => page.locator(`[data-act=${name}]`);
  const saved = async (page: Page, form: string) => {
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: `Save as ${form}: Words` }).click(),
    ]);
    return (await readFile(await download.path())).toString();
  };

  test("lights what leads to the node under the pointer and what that leads to, and says its strongest edges", async () => {
    const { page, messages } = await open();
    expect(await clear(page)).toEqual(["a@0", "b@1", "N1@0", "N2@1", "N3@1", "out"]);
    await node(page, "N1").hover();
    expect(await clear(page)).toEqual(["a@0", "N1@0", "out"]);
    expect(await page.locator(".drawing [data-edge]:not(.faded)").count()).toBe(2);
    expect(await tip(page)).toBe("N1@0\nactive\nfrom a@0 +2\nto out +1");
    await page.mouse.move(2, 2);
    expect(await clear(page)).toHaveLength(6);
    expect(messages).toEqual([]);
    await page.close();
  });

  test("keeps a node that is pressed lit until it is pressed again, or Escape", async () => {
    const { page } = await open();
    await node(page, "N3").click();
    await page.mouse.move(2, 2);
    expect(await clear(page)).toEqual(["b@1", "N3@1", "out"]);
    expect(await node(page, "N3").getAttribute("aria-pressed")).toBe("true");
    await page.keyboard.press("Escape");
    await page.evaluate(() => (document.activeElement as HTMLElement).blur());
    expect(await clear(page)).toHaveLength(6);
    await node(page, "N1").click();
    await node(page, "N3").click({ modifiers: ["Shift"] });
    await page.mouse.move(2, 2);
    expect(await clear(page)).toEqual(["a@0", "b@1", "N1@0", "N3@1", "out"]);
    await page.close();
  });

  test("is one tab stop; arrows reach every node, Enter keeps one lit, and p pins it", async () => {
    const { page } = await open();
    expect(await page.locator('.drawing [tabindex="0"]').count()).toBe(1);
    await node(page, "a@0").focus();
    const focused = () => page.evaluate(() => (document.activeElement as HTMLElement).dataset.tip!.split("\n")[0]);
    await page.keyboard.press("Home");
    const seen = [await focused()];
    for (let i = 0; i < 5; i++) {
      await page.keyboard.press("ArrowRight");
      seen.push(await focused());
    }
    expect(seen).toEqual(["out", "N1@0", "N2@1", "N3@1", "a@0", "b@1"]);
    await page.keyboard.press("ArrowUp");
    expect(await focused()).toMatch(/^N[23]@1$/);
    await page.keyboard.press("ArrowUp");
    expect(await focused()).toBe("out");
    expect(await clear(page)).toHaveLength(6);
    await page.keyboard.press("Home");
    await page.keyboard.press("ArrowRight");
    expect(await clear(page)).toEqual(["a@0", "N1@0", "out"]);
    await page.keyboard.press("Enter");
    expect(await node(page, "N1").getAttribute("aria-pressed")).toBe("true");
    await page.keyboard.press("p");
    expect(await focused()).toBe("N1@0");
    expect(await page.locator(".drawing [data-pin]").count()).toBe(1);
    await page.close();
  });

  test("shows only what has the share of the influence that the slider says, and what is pinned", async () => {
    const { page } = await open();
    const count = page.locator(".graph .count");
    expect(await count.textContent()).toBe("6 of 6 nodes, 6 edges");
    await node(page, "N3").dblclick();
    await page.locator("[name=share]").fill("50");
    expect(await namesOf(page)).toEqual(["a@0", "b@1", "N1@0", "N3@1", "out"]);
    expect(await count.textContent()).toBe("5 of 6 nodes, 2 edges");
    expect(await page.locator(".graph output").textContent()).toBe("50 %");
    await page.close();
  });

  test("shows pinned nodes alone, and groups of them whose edges are sums; its files have what is shown", async () => {
    const { page, messages } = await open();
    const first = await saved(page, "SVG");
    for (const name of ["b@1", "N2", "N3", "out"]) await node(page, name).dblclick();
    await page.locator("[data-view=pinned]").click();
    expect(await namesOf(page)).toEqual(["b@1", "N2@1", "N3@1", "out"]);
    await node(page, "N2").click();
    expect(await act(page, "group").isDisabled()).toBe(true);
    await node(page, "N3").click();
    await page.locator("[name=label]").fill("both <b>");
    await page.keyboard.press("Enter");
    expect(await namesOf(page)).toEqual(["both <b>", "b@1", "out"]);
    await node(page, "both").hover();
    expect(await tip(page)).toBe("both <b>\nN2@1, N3@1\nfrom b@1 +3\nto out −4");

    const svg = await saved(page, "SVG");
    expect(svg).not.toBe(first);
    expect(svg).toContain("both &lt;b&gt;");
    expect(svg).toContain("Of 6 nodes, the 4 that are pinned.");
    expect((await saved(page, "PNG")).slice(1, 4)).toBe("PNG");
    const spec = JSON.parse(await saved(page, "JSON"));
    expect(spec.state).toMatchObject({ pinnedOnly: true, groups: [["both <b>", "N2@1", "N3@1"]] });
    const graph = JSON.parse(await saved(page, "GRAPH JSON"));
    expect(graph.qParams).toMatchObject({
      pinnedIds: ["E_8_1", "0_2_1", "0_3_1", "2_9_1"],
      supernodes: [["both <b>", "0_2_1", "0_3_1"]],
    });
    expect(graph.links).toHaveLength(6);

    await act(page, "ungroup").click();
    expect(await namesOf(page)).toEqual(["b@1", "N2@1", "N3@1", "out"]);
    await act(page, "pin").click();
    expect(await namesOf(page)).toEqual(["b@1", "out"]);
    await page.locator("[data-view=all]").click();
    expect(await namesOf(page)).toHaveLength(6);
    expect(messages).toEqual([]);
    await page.close();
  });

  test.each([390, 900])(
    "fits into a window of %i pixels, and has nothing that assistive software cannot use",
    async (width) => {
      const { page } = await open(width);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
      await node(page, "N1").click();
      await page.evaluate(axeCore.source);
      const problems = await page.evaluate(async () => {
        const { violations } = await (globalThis as unknown as { axe: typeof axeCore }).axe.run(".graph");
        return violations.map(({ id, nodes }) => `${id}: ${nodes[0].html}`);
      });
      expect(problems).toEqual([]);
      await page.close();
    },
  );

  test("has its drawing where there are no scripts", async () => {
    const page = await chromium.browser.newPage({ javaScriptEnabled: false });
    await page.setContent(html);
    expect(await page.locator(".graph .still .wide").isVisible()).toBe(true);
    expect(await page.locator(".graph .stage").isVisible()).toBe(false);
    await page.close();
  });
});
