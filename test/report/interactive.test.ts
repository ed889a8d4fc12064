import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { attentionHeads, logitLensTable, textNeuronActivations, topkTokens } from "../../src/report/index.ts";
import { hasChromium, launch } from "./chromium.ts";
import { manyHeads, threeTokens } from "./patterns.ts";

const { tokens, patterns } = threeTokens;

describe.skipIf(!hasChromium)("interactive pictures, in Chromium (skipped without /usr/bin/chromium)", () => {
  let chromium: Awaited<ReturnType<typeof launch>>;
  let html: string;

  beforeAll(async () => {
    chromium = await launch();
    html = await attentionHeads(tokens, patterns, { layers: 0, focus: "L0H0" }).html();
  });

  afterAll(() => chromium?.close());

  const heads = () => chromium.open(html, { viewport: { width: 1200, height: 900 } });
  /** The large view's cells with their colours, whatever paths they are drawn by. */
  const cells = (page: Page) =>
    page.locator(".view .wide .cells path").evaluateAll((paths) => {
      const all = paths.flatMap((path) =>
        [...path.getAttribute("d")!.matchAll(/M(\d+) (\d+)h(\d+)/g)].flatMap(([, k, q, n]) =>
          Array.from({ length: Number(n) }, (_, i) => `${q} ${Number(k) + i} ${getComputedStyle(path).stroke}`),
        ),
      );
      return all.sort();
    });
  const background = (page: Page) =>
    page
      .locator(".attention .token")
      .evaluateAll((all) => all.map((token) => (token as HTMLElement).style.background !== ""));
  const status = (page: Page) => page.locator(".status").textContent();
  const tip = (page: Page) => page.locator("#tip").textContent();
  const title = (page: Page) => page.locator(".view .heading").textContent();

  it("request nothing but themselves and log no errors", async () => {
    const { page, requests, messages } = await chromium.open(await manyHeads().html());
    expect(requests).toEqual([page.url()]);
    expect(messages).toEqual([]);
    expect(await page.locator(".head").count()).toBe(145);
    await page.close();
  });

  it("show the head under the pointer, and go back to the one that was clicked", async () => {
    const { page } = await heads();
    const [all, first, second] = await page.locator(".head").all();
    expect(await title(page)).toBe("L0H0");
    await second.hover();
    expect(await title(page)).toBe("L0H1");
    await page.mouse.move(5, 5);
    expect(await title(page)).toBe("L0H0");
    await all.click();
    await first.hover();
    expect(await title(page)).toBe("L0H0");
    await page.mouse.move(5, 5);
    await page.evaluate(() => (document.activeElement as HTMLElement).blur());
    expect(await title(page)).toBe("all heads, mixed by hue");
    expect(await all.getAttribute("aria-pressed")).toBe("true");
    await page.close();
  });

  it("draw the same cells for a head as before the script ran", async () => {
    const { page } = await heads();
    const drawn = await cells(page);
    expect(drawn).toHaveLength(4);
    const quiet = await chromium.browser.newPage({ javaScriptEnabled: false });
    await quiet.setContent(html);
    expect(await cells(quiet)).toEqual(drawn);
    await quiet.close();
    await page.close();
  });

  it("colour the tokens by what the token under the pointer attends to, or by what attends to it", async () => {
    const { page } = await heads();
    const third = page.locator(".attention .token").nth(2);
    expect(await status(page)).toBe("L0H0: what each token receives, on average over the queries that see it");
    await third.hover();
    expect(await status(page)).toBe("L0H0: where “␣c” (2) attends to");
    expect(await background(page)).toEqual([false, true, true]);
    expect(await tip(page)).toBe("“␣c” (2)\nL0H0: 0.25");
    await page.locator(".direction button").nth(1).click();
    await page.locator(".attention .token").nth(0).hover();
    expect(await status(page)).toBe("L0H0: what attends to “a” (0)");
    expect(await background(page)).toEqual([true, true, false]);
    await page.close();
  });

  it("keep a clicked token selected until it is clicked again or Escape is pressed", async () => {
    const { page } = await heads();
    const second = page.locator(".attention .token").nth(1);
    const leave = async () => {
      await page.mouse.move(5, 5);
      await page.evaluate(() => (document.activeElement as HTMLElement).blur());
    };
    await second.click();
    await leave();
    expect(await status(page)).toBe("L0H0: where “␣b” (1) attends to");
    expect(await second.getAttribute("aria-pressed")).toBe("true");
    await second.click();
    await leave();
    expect(await status(page)).toContain("on average");
    await second.click();
    await page.keyboard.press("Escape");
    await leave();
    expect(await status(page)).toContain("on average");
    await page.close();
  });

  it("work with the keyboard alone: one tab stop for the heads, one for the tokens, arrows within, Enter to select", async () => {
    const { page } = await heads();
    await page.keyboard.press("Tab");
    expect(await title(page)).toBe("L0H0");
    await page.keyboard.press("ArrowRight");
    expect(await title(page)).toBe("L0H1");
    await page.keyboard.press("Enter");
    for (let stop = 0; stop < 3; stop++) await page.keyboard.press("Tab");
    await page.keyboard.press("ArrowRight");
    expect(await status(page)).toBe("L0H1: where “␣b” (1) attends to");
    await page.keyboard.press("Enter");
    await page.keyboard.press("ArrowLeft");
    await page.evaluate(() => (document.activeElement as HTMLElement).blur());
    expect(await status(page)).toBe("L0H1: where “␣b” (1) attends to");
    await page.close();
  });

  it("show a cell's query, key and weight, for all heads when they are mixed", async () => {
    const { page } = await heads();
    const point = async (q: number, k: number) => {
      const box = (await page.locator(".view .wide .hit").boundingBox())!;
      await page.mouse.move(box.x + ((k + 0.5) * box.width) / 3, box.y + ((q + 0.5) * box.height) / 3);
    };
    await point(2, 1);
    expect(await tip(page)).toBe("“␣c” (2) attends to “␣b” (1)\nL0H0: 0.75");
    expect(await status(page)).toBe("L0H0: where “␣c” (2) attends to");
    await page.locator(".head").first().click();
    await point(2, 0);
    expect(await tip(page)).toBe("“␣c” (2) attends to “a” (0)\nL0H1: 1\nL0H0: 0");
    await page.close();
  });

  it("adapt to light and dark pages", async () => {
    const color = async (colorScheme: "light" | "dark") => {
      const { page } = await chromium.open(html, { colorScheme });
      await page.locator(".attention .token").nth(1).hover();
      const shown = await page
        .locator(".attention .token")
        .nth(0)
        .evaluate((token) => {
          const { backgroundColor, color } = getComputedStyle(token);
          return [backgroundColor, color].map((c) => Number(c.match(/^oklab\(([\d.]+)/)?.[1] ?? c.match(/\d+/g)![0]));
        });
      await page.close();
      return shown;
    };
    const [light, lightInk] = await color("light");
    const [dark, darkInk] = await color("dark");
    expect(light).toBeLessThan(0.5);
    expect(lightInk).toBe(255);
    expect(dark).toBeGreaterThan(0.8);
    expect(darkInk).toBeLessThan(40);
  });

  it("fit a phone without scrolling sideways", async () => {
    const lens = logitLensTable(["a", "b"], [[{ top: [{ token: "x", probability: 1 }] }, { top: [] }]]);
    for (const shown of [
      manyHeads(),
      lens,
      topkTokens(tokens, patterns[0]),
      textNeuronActivations(tokens, [patterns[0], patterns[1], patterns[0]]),
    ]) {
      const { page } = await chromium.open(await shown.html(), { viewport: { width: 390, height: 800 } });
      expect(await page.evaluate("document.documentElement.scrollWidth"), shown.spec.kind).toBe(390);
      await page.close();
    }
  });

  it("colour a text by the selected neuron, on that neuron's own scale", async () => {
    const values = [
      [
        [0, 1],
        [2, 4],
      ],
      [
        [0, -8],
        [1, 1],
      ],
    ];
    const { page } = await chromium.open(await textNeuronActivations(["a", "b"], values).html());
    const legend = () => page.locator(".legend text").allTextContents();
    expect(await legend()).toEqual(["layer 0, neuron 1", "−8", "0", "8"]);
    await page.locator("input[name=layer]").fill("1");
    expect(await legend()).toEqual(["layer 1, neuron 1", "−4", "0", "4"]);
    await page.locator(".token").first().hover();
    expect(await tip(page)).toBe("“a” at position 0\nlayer 1, neuron 1: 4");
    const color = await page
      .locator(".token")
      .first()
      .evaluate((token) => getComputedStyle(token).backgroundColor);
    expect(color).toBe("rgb(5, 48, 97)");
    await page.locator("input[name=neuron]").fill("7");
    await page.keyboard.press("Tab");
    expect(await page.locator("input[name=neuron]").inputValue()).toBe("1");
    await page.close();
  });

  it("move from cell to cell of a table by arrow keys, and describe each", async () => {
    const cell = (token: string) => ({ top: [{ token, probability: 0.5 }] });
    const lens = logitLensTable(
      ["a", "b"],
      [
        [cell("1"), cell("2")],
        [cell("3"), cell("4")],
      ],
    );
    const { page } = await chromium.open(await lens.html());
    await page.locator(".lens td").first().focus();
    expect(await tip(page)).toContain("“3”");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowDown");
    expect(await tip(page)).toContain("“2”");
    expect(await page.locator(".lens td[tabindex='0']").count()).toBe(1);
    await page.close();
  });
});
