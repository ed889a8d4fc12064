/** What happens in a picture of attention under the pointer: heads fade, arrows are drawn, and little else changes. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { attentionHeads } from "../../src/report/index.ts";
import { hasChromium, launch } from "./chromium.ts";
import { threeTokens } from "./patterns.ts";

const { tokens, patterns } = threeTokens;
const [HEADS, MANY] = [144, 128];

/** 144 heads on 128 tokens, each looking at another distance back, and a little at twelve more tokens. */
function wide() {
  const data = new Float32Array(HEADS * MANY * MANY);
  for (let head = 0; head < HEADS; head++) {
    for (let query = 0; query < MANY; query++) {
      const from = (head * MANY + query) * MANY;
      data.fill(0.5 / 12, from + Math.max(0, query - 11), from + query + 1);
      data[from + Math.max(0, query - (head % 20))] += 0.5;
    }
  }
  const words = Array.from({ length: MANY }, (_, i) => ` w${i}`);
  return attentionHeads(words, { data, shape: [12, 12, MANY, MANY] });
}

describe.skipIf(!hasChromium)("attention under the pointer, in Chromium (skipped without /usr/bin/chromium)", () => {
  let chromium: Awaited<ReturnType<typeof launch>>;
  let html: string;
  beforeAll(async () => {
    chromium = await launch();
    html = await attentionHeads(tokens, patterns, { layers: 0, focus: "L0H0" }).html();
  });
  afterAll(() => chromium?.close());

  const opened = async (of = html) => {
    const { page } = await chromium.open(of, { viewport: { width: 1200, height: 900 } });
    await page.locator("[data-drawn]").waitFor();
    return page;
  };
  const token = (page: Page, pos: number) => page.locator(".attention .token").nth(pos);
  const title = (page: Page) => page.locator(".view .heading").textContent();
  /** How opaque the first cell of each head's thumbnail is, 0 to 1: in both heads it has a weight of 1. */
  const opacities = (page: Page) =>
    page.locator(".grid-of-heads").evaluate((grid) => {
      const canvas = grid.querySelector<HTMLCanvasElement>(".thumbs")!;
      const from = canvas.getBoundingClientRect();
      return [...grid.querySelectorAll(".head:not([data-head='-1']) .thumb")].map((one) => {
        const { left, top } = one.getBoundingClientRect();
        const { data } = canvas.getContext("2d")!.getImageData(left - from.left + 8, top - from.top + 8, 1, 1);
        return data[3] / 255;
      });
    });
  /** The tokens that each arrow leads from and to. */
  const arrows = (page: Page) =>
    page.locator(".arcs").evaluate((svg) => {
      const base = svg.getBoundingClientRect();
      const boxes = [...svg.parentElement!.querySelectorAll(".token")].map((one) => one.getBoundingClientRect());
      const at = (x: number) => boxes.findIndex(({ left, right }) => left <= x + base.left && x + base.left <= right);
      return [...svg.querySelectorAll("path[d]")].map((path) => {
        const [, from, to] = /^M([\d.]+) .* ([\d.]+) [\d.]+m/.exec(path.getAttribute("d")!)!;
        return `${at(Number(from))} to ${at(Number(to))}`;
      });
    });

  it("fades the thumbnails of heads by how little they have to do with a token", async () => {
    const page = await opened();
    expect(await opacities(page)).toEqual([1, 1]);
    await token(page, 2).hover();
    // The largest weights of the third query are 0.75 and 1; of what is faintest, a fifth is left.
    await expect.poll(async () => (await opacities(page))[0]).toBeCloseTo(0.2 + 0.8 * 0.75, 1);
    expect((await opacities(page))[1]).toBe(1);
    await page.locator(".direction button").nth(1).click();
    // Nothing attends to it in the second head.
    await token(page, 2).hover();
    await expect.poll(async () => (await opacities(page))[1]).toBeCloseTo(0.2, 1);
    expect((await opacities(page))[0]).toBe(1);
    await page.mouse.move(5, 5);
    await expect.poll(() => opacities(page)).toEqual([1, 1]);
    await page.close();
  });

  it("draws arrows from a token to those that it attends to, or from those that attend to it, the largest weight first", async () => {
    const page = await opened();
    expect(await arrows(page)).toEqual([]);
    await token(page, 2).hover();
    await expect.poll(() => arrows(page)).toEqual(["2 to 1", "2 to 2"]);
    await page.locator(".direction button").nth(1).click();
    await token(page, 0).hover();
    await expect.poll(() => arrows(page)).toEqual(["0 to 0", "1 to 0"]);
    await page.mouse.move(5, 5);
    await expect.poll(() => arrows(page)).toEqual([]);
    await page.close();
  });

  it("keeps a clicked head large until it is clicked again or Escape is pressed", async () => {
    const page = await opened();
    const head = page.locator(".head").nth(2);
    const leave = async () => {
      await page.mouse.move(5, 5);
      await page.evaluate(() => (document.activeElement as HTMLElement).blur());
    };
    const release = [() => head.click(), () => page.keyboard.press("Escape")];
    for (const act of release) {
      await head.click();
      await leave();
      await expect.poll(() => title(page)).toBe("L0H1");
      expect(await head.getAttribute("aria-pressed")).toBe("true");
      await head.focus();
      await act();
      await leave();
      await expect.poll(() => title(page)).toBe("L0H0");
      expect(await head.getAttribute("aria-pressed")).toBe("false");
    }
    await page.close();
  });

  it("has few nodes for 144 heads on 128 tokens, and a move of the pointer adds none and changes few but the tokens", async () => {
    const page = await opened(await wide().html());
    const nodes = () => page.locator(".stage *").count();
    const before = await nodes();
    // A button, a place and a name for each head, and a text for each token; the cells are on two canvases.
    expect(before).toBeLessThan(4 * HEADS + 2 * MANY + 150);
    expect(await page.locator(".stage canvas").count()).toBe(2);
    await page.locator(".attention").evaluate((box) => {
      const changed = new Set<Node>();
      const observer = new MutationObserver((all) => {
        for (const { target } of all) changed.add(target);
      });
      observer.observe(box, { subtree: true, attributes: true, childList: true, characterData: true });
      Object.assign(globalThis, { changed });
    });
    const changes = () =>
      page.evaluate(() => {
        const { changed } = globalThis as unknown as { changed: Set<Element> };
        const all = [...changed];
        changed.clear();
        return { tokens: all.filter((one) => one.matches?.(".token")).length, others: all.length };
      });
    await token(page, 100).hover();
    await expect.poll(() => page.locator(".arcs path[d]").count()).toBe(10);
    await changes();
    await token(page, 101).hover();
    await expect.poll(() => page.locator(".status").textContent()).toContain("(101)");
    const found = await changes();
    expect(found.tokens).toBeGreaterThan(0);
    expect(found.others - found.tokens).toBeLessThan(20);
    await page.locator(".head").nth(60).hover();
    await expect.poll(() => title(page)).toBe("L5H0");
    expect((await changes()).others).toBeLessThan(MANY + 60);
    expect(await nodes()).toBe(before);
    await page.close();
  });
});
