import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AttentionSpec } from "../../src/finding/picture.ts";
import { attentionHeads, logitLensTable, picture, textNeuronActivations, topkTokens } from "../../src/report/index.ts";
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
  /** Where the large view's cells of 28 pixels begin: the first has weight, with nothing to its left. */
  const plotLeft = (page: Page) =>
    page.locator(".frame canvas").evaluate((canvas: HTMLCanvasElement) => {
      const { data } = canvas.getContext("2d")!.getImageData(0, 21, canvas.width, 1);
      let left = 0;
      while (![2, 12, 24].every((x) => data[4 * (left + x) + 3] === 255)) left++;
      return left + 2;
    });
  /** The colour in the middle of each cell of the large view that has not the page's own: "query key red green blue". */
  const cells = async (page: Page, n = 3) => {
    const left = await plotLeft(page);
    const all = Array.from({ length: n * n }, (_, i) => [Math.floor(i / n), i % n]);
    const colors = await page.locator(".frame canvas").evaluate(
      (canvas: HTMLCanvasElement, places) =>
        places.map(([x, y]) => [...canvas.getContext("2d")!.getImageData(x, y, 1, 1).data]),
      all.map(([q, k]) => [left + 28 * k + 14, 7 + 28 * q + 14]),
    );
    return all.flatMap(([q, k], i) => (colors[i][3] > 0 ? [[q, k, ...colors[i].slice(0, 3)].join(" ")] : []));
  };
  const background = (page: Page) =>
    page
      .locator(".attention .token")
      .evaluateAll((all) => all.map((token) => (token as HTMLElement).style.backgroundColor !== ""));
  const status = (page: Page) => page.locator(".status").textContent();
  const tip = (page: Page) => page.locator("#tip").textContent();
  const title = (page: Page) => page.locator(".view .heading").textContent();

  it("request nothing but themselves and log no errors", async () => {
    const { page, requests, messages } = await chromium.open(await manyHeads().html());
    expect(requests).toEqual([page.url()]);
    expect(messages).toEqual([]);
    expect(await page.locator(".head").count()).toBe(144);
    await page.close();
  });

  it("show the head under the pointer, and go back to the one that was clicked", async () => {
    const { page } = await heads();
    const [all, first, second] = await page.locator(".head").all();
    await expect.poll(() => title(page)).toBe("L0H0");
    await second.hover();
    await expect.poll(() => title(page)).toBe("L0H1");
    await page.mouse.move(5, 5);
    await expect.poll(() => title(page)).toBe("L0H0");
    await all.click();
    await first.hover();
    await expect.poll(() => title(page)).toBe("L0H0");
    await page.mouse.move(5, 5);
    await page.evaluate(() => (document.activeElement as HTMLElement).blur());
    await expect.poll(() => title(page)).toBe("all heads, mixed by hue");
    expect(await all.getAttribute("aria-pressed")).toBe("true");
    await page.close();
  });

  it("draw the same cells for a head as the other formats, which the page shows without its script", async () => {
    const { page } = await heads();
    const quiet = await chromium.browser.newPage({ javaScriptEnabled: false });
    await quiet.setContent(html);
    expect(await quiet.locator(".still").isVisible()).toBe(true);
    expect(await quiet.locator(".stage").isVisible()).toBe(false);
    const drawn = await quiet
      .locator(".still .cells")
      .first()
      .locator("path")
      .evaluateAll((paths) =>
        paths.flatMap((path) => {
          const color = path.getAttribute("stroke")!;
          const rgb = [1, 3, 5].map((i) => Number.parseInt(color.slice(i, i + 2), 16));
          return [...path.getAttribute("d")!.matchAll(/M(\d+) (\d+)h(\d+)/g)].flatMap(([, k, q, n]) =>
            Array.from({ length: Number(n) }, (_, i) => [q, Number(k) + i, ...rgb].join(" ")),
          );
        }),
      );
    expect(drawn).toHaveLength(4);
    expect(await cells(page)).toEqual(drawn.sort());
    expect(await page.locator(".still").isVisible()).toBe(false);
    await quiet.close();
    await page.close();
  });

  it("hide the first token, follow the logarithm, and weight by the size of values", async () => {
    const spec = attentionHeads(tokens, patterns, { layers: 0, focus: "L0H0" }).spec as AttentionSpec;
    const withNorms = { ...spec, heads: spec.heads.map((head) => ({ ...head, valueNorms: [1, 4, 2] })) };
    const { page } = await chromium.open(await picture(withNorms).html(), { viewport: { width: 1200, height: 900 } });
    const ends = () => page.locator(".ramp output").allTextContents();
    const press = (name: string) => page.locator(`[data-switch=${name}]`).click();
    const tipAt = async (pos: number) => {
      await page.locator(".attention .token").nth(pos).hover();
      return tip(page);
    };
    await page.locator(".attention .token").nth(2).click();
    // The first token has more, but is left aside.
    await expect.poll(() => ends()).toEqual(["0", "≥ 0.75"]);
    await press("values");
    await expect.poll(() => ends()).toEqual(["0", "3"]);
    await page.locator(".direction button").nth(1).click();
    await page.locator(".direction button").nth(0).click();
    expect(await tipAt(2)).toBe("“␣c” (2)\nL0H0: 0.5");
    await press("values");
    await press("first");
    await expect.poll(() => ends()).toEqual(["0", "0.75"]);
    expect(await tipAt(0)).toBe("“a” (0)\nL0H0: 0");
    await press("log");
    await expect.poll(() => ends()).toEqual(["0.00075", "0.75"]);
    await page.close();
  });

  it("have colours that fit each head, the same on the page as in its picture", async () => {
    const n = 40;
    const words = Array.from({ length: n }, (_, i) => ` w${i}`);
    const rows = (of: (q: number, k: number) => number) =>
      Array.from({ length: n }, (_, q) => Array.from({ length: n }, (_, k) => (k <= q ? of(q, k) : 0)));
    // One looks at itself; one rests on the first token, and is even besides.
    const heads = [rows((q, k) => +(q === k)), rows((q, k) => (k === 0 ? 0.9 + 0.1 / (q + 1) : 0.1 / (q + 1)))];
    const made = attentionHeads(words, heads, { focus: "H1" });
    const svg = await made.svg();
    const end = svg.match(/≥ ([\d.]+)</)![1];
    expect(Number(end)).toBeCloseTo(2 / n, 6);
    expect(svg).toContain("Each head has a colour scale of its own");
    const { page } = await chromium.open(await made.html(), { viewport: { width: 1200, height: 900 } });
    const ends = () => page.locator(".ramp output").allTextContents();
    await expect.poll(() => ends()).toEqual(["0", `≥ ${end}`]);
    await page.locator('[data-head="0"]').click();
    await expect.poll(() => ends()).toEqual(["0", "1"]);
    await page.locator("[data-switch=log]").click();
    await page.locator('[data-head="1"]').click();
    await expect.poll(() => ends()).toEqual(["0.001", "1"]);
    await page.close();
    const chosen = attentionHeads(words, heads, { focus: "H1", domain: [0, 0.5] });
    expect(await chosen.svg()).toContain("≥ 0.5<");
    expect(await chosen.svg()).not.toContain("of its own");
  });

  it("sort heads by a metric, and make the first large", async () => {
    const { page } = await chromium.open(await manyHeads().html(), { viewport: { width: 1200, height: 900 } });
    const { heads: all, metrics } = manyHeads().spec as AttentionSpec;
    const previous = metrics!.findIndex(({ name }) => name === "previous token");
    const ranked = all.map((_, i) => i).sort((i, j) => metrics![previous].values[j] - metrics![previous].values[i]);
    const order = () =>
      page.locator(".head").evaluateAll((found) => found.map((head) => (head as HTMLElement).dataset.head));
    await page.locator(".tools select").selectOption(String(previous));
    expect((await order()).slice(0, 20)).toEqual(ranked.slice(0, 20).map(String));
    await expect.poll(() => title(page)).toBe(`${all[ranked[0]].name}, the highest of 144 heads in previous token`);
    await page.locator(".tools select").selectOption("");
    expect(await order()).toEqual(all.map((_, i) => String(i)));
    await page.close();
  });

  it("zoom into a long text, whose tokens stay beside the cells in sight", async () => {
    const n = 200;
    const one = Array.from({ length: n }, (_, q) =>
      Array.from({ length: n }, (_, k) => (k === Math.max(0, q - 1) ? 1 : 0)),
    );
    const words = Array.from({ length: n }, (_, i) => ` w${i}`);
    const { page } = await chromium.open(await attentionHeads(words, [one, one]).html(), {
      viewport: { width: 1200, height: 900 },
    });
    const frame = page.locator(".frame");
    const point = async (x: number, y: number) => {
      const box = (await frame.boundingBox())!;
      await page.mouse.move(box.x + x, box.y + y);
    };
    expect(await frame.evaluate((it) => it.scrollWidth - it.clientWidth)).toBe(0);
    for (let i = 0; i < 4; i++) await page.locator(".zoom button").nth(1).click();
    await frame.evaluate((it) => it.scrollTo(it.scrollWidth, it.scrollHeight));
    const wide = await frame.evaluate((it) => it.clientWidth);
    await point(wide - 8, 60);
    const [, query, key] = (await tip(page))!.match(/\((\d+)\) attends to .*\((\d+)\)/)!.map(Number);
    expect(key).toBe(199);
    expect(query).toBeGreaterThan(170);
    await page.close();
  });

  it("keep a page of packed patterns at hand: a head's cells as they were packed", async () => {
    const n = 70;
    const data = new Float32Array(9 * n * n);
    for (let h = 0; h < 9; h++) for (let q = 0; q < n; q++) data[(h * n + q) * n + Math.min(q, 5 * h)] = 1;
    const words = Array.from({ length: n }, (_, i) => ` w${i}`);
    const { page } = await chromium.open(await attentionHeads(words, { data, shape: [9, n, n] }).html());
    await page.locator(".head").nth(3).click();
    await page.locator(".attention .token").nth(40).click();
    await page.locator(".attention .token").nth(15).hover();
    await page.locator(".attention .token").nth(40).hover();
    await expect.poll(() => status(page)).toBe("H3: where “␣w40” (40) attends to");
    const dark = await page
      .locator(".attention .token")
      .evaluateAll((all) => all.flatMap((token, i) => ((token as HTMLElement).style.backgroundColor ? [i] : [])));
    expect(dark).toEqual([15]);
    await page.close();
  });

  it("colour the tokens by what the token under the pointer attends to, or by what attends to it", async () => {
    const { page } = await heads();
    const third = page.locator(".attention .token").nth(2);
    await expect
      .poll(() => status(page))
      .toBe("L0H0: what each token receives, on average over the queries that see it");
    await third.hover();
    await expect.poll(() => status(page)).toBe("L0H0: where “␣c” (2) attends to");
    await expect.poll(() => background(page)).toEqual([false, true, true]);
    await expect.poll(() => tip(page)).toBe("“␣c” (2)\nL0H0: 0.25");
    await page.locator(".direction button").nth(1).click();
    await page.locator(".attention .token").nth(0).hover();
    await expect.poll(() => status(page)).toBe("L0H0: what attends to “a” (0)");
    await expect.poll(() => background(page)).toEqual([true, true, false]);
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
    await expect.poll(() => status(page)).toBe("L0H0: where “␣b” (1) attends to");
    expect(await second.getAttribute("aria-pressed")).toBe("true");
    await second.click();
    await leave();
    await expect.poll(() => status(page)).toContain("on average");
    await second.click();
    await page.keyboard.press("Escape");
    await leave();
    await expect.poll(() => status(page)).toContain("on average");
    await page.close();
  });

  it("work with the keyboard alone: one tab stop for the heads, one for the tokens, arrows within, Enter to select", async () => {
    const { page } = await heads();
    await page.locator("[data-switch]").last().focus();
    await page.keyboard.press("Tab");
    await expect.poll(() => title(page)).toBe("L0H0");
    await page.keyboard.press("ArrowRight");
    await expect.poll(() => title(page)).toBe("L0H1");
    await page.keyboard.press("Enter");
    for (let stop = 0; stop < 3; stop++) await page.keyboard.press("Tab");
    await page.keyboard.press("ArrowRight");
    await expect.poll(() => status(page)).toBe("L0H1: where “␣b” (1) attends to");
    await page.keyboard.press("Enter");
    await page.keyboard.press("ArrowLeft");
    await page.evaluate(() => (document.activeElement as HTMLElement).blur());
    await expect.poll(() => status(page)).toBe("L0H1: where “␣b” (1) attends to");
    await page.close();
  });

  it("show a cell's query, key and weight, for all heads when they are mixed", async () => {
    const { page } = await heads();
    const left = await plotLeft(page);
    const point = async (q: number, k: number) => {
      const box = (await page.locator(".frame").boundingBox())!;
      await page.mouse.move(box.x + left + 28 * k + 14, box.y + 7 + 28 * q + 14);
    };
    await point(2, 1);
    await expect.poll(() => tip(page)).toBe("“␣c” (2) attends to “␣b” (1)\nL0H0: 0.75");
    await expect.poll(() => status(page)).toBe("L0H0: where “␣c” (2) attends to");
    await page.locator(".head").first().click();
    await point(2, 0);
    await expect.poll(() => tip(page)).toBe("“␣c” (2) attends to “a” (0)\nL0H1: 1\nL0H0: 0");
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
          return [backgroundColor, color].map((c) => Math.max(...c.match(/\d+/g)!.map(Number)));
        });
      await page.close();
      return shown;
    };
    const [light, lightInk] = await color("light");
    const [dark, darkInk] = await color("dark");
    expect(light).toBeLessThan(200);
    expect(lightInk).toBe(255);
    expect(dark).toBeGreaterThan(220);
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
    await expect.poll(() => tip(page)).toBe("“a” at position 0\nlayer 1, neuron 1: 4");
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
    await expect.poll(() => tip(page)).toContain("“3”");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowDown");
    await expect.poll(() => tip(page)).toContain("“2”");
    expect(await page.locator(".lens td[tabindex='0']").count()).toBe(1);
    await page.close();
  });
});
