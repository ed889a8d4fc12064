import { createHash } from "node:crypto";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { picture, render } from "../../src/report/index.ts";
import { ACTIVATIONS } from "../../src/report/page/activations-script.ts";
import { ATTENTION } from "../../src/report/page/attention-script.ts";
import { PIXELS } from "../../src/report/page/pixels-script.ts";
import { SCRIPT, SCRIPT_HASH } from "../../src/report/page/script.ts";
import { drawn } from "../../src/report/views/picture-of.ts";
import { hasChromium, launch } from "./chromium.ts";
import { ATTACK, nastyFinding } from "./nasty.ts";
import { seedFinding } from "./seed-finding.ts";

const seed = seedFinding();

describe("a finding as HTML", () => {
  it("puts the answer before any picture, table or method", async () => {
    const html = await render(seed, "html");
    const order = ["<h1>", 'class="lead"', "<figure", "<table", 'id="comparisons"', 'id="caveats"', 'id="method"'];
    const places = order.map((part) => html.indexOf(part));
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(places[0]).toBeGreaterThan(0);
  });

  it("allows its own scripts and no others", async () => {
    const hash = (text: string) => `sha256-${createHash("sha256").update(text).digest("base64")}`;
    expect(SCRIPT_HASH).toBe(hash(SCRIPT));
    for (const feature of [ATTENTION, ACTIVATIONS, PIXELS]) expect(feature.hash).toBe(hash(feature.script));
    const html = await render(nastyFinding, "html");
    expect(html.match(/script-src ([^;]+);/)![1]).toBe(
      [SCRIPT_HASH, ATTENTION.hash, ACTIVATIONS.hash].map((h) => `'${h}'`).join(" "),
    );
    expect((await render(seed, "html")).match(/script-src ([^;]+);/)![1]).toBe(`'${SCRIPT_HASH}'`);
  });

  it("gives every picture a description and every table a caption", async () => {
    const html = await render(seed, "html");
    expect([...html.matchAll(/<svg /g)].length).toBe(
      [...html.matchAll(/<svg [^>]*role="img" aria-label="[^"]+"/g)].length,
    );
    expect([...html.matchAll(/<table>/g)].length).toBe([...html.matchAll(/<table><caption>/g)].length);
  });
});

describe.skipIf(!hasChromium)("the page in Chromium (skipped without /usr/bin/chromium)", () => {
  let chromium: Awaited<ReturnType<typeof launch>>;
  const open: typeof chromium.open = (html, options) => chromium.open(html, options);

  beforeAll(async () => {
    chromium = await launch();
  });

  afterAll(() => chromium?.close());

  const contrast = (page: Page, selector: string) =>
    page.evaluate((chosen) => {
      const channels = (color: string) =>
        color
          .match(/[\d.]+/g)!
          .slice(0, 3)
          .map(Number);
      const luminance = (color: string) =>
        channels(color)
          .map((c) => (c / 255 <= 0.03928 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4))
          .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
      return [...document.querySelectorAll(chosen)].map((element) => {
        const { color, backgroundColor } = getComputedStyle(element);
        const [a, b] = [luminance(color), luminance(backgroundColor)].sort((x, y) => y - x);
        return (a + 0.05) / (b + 0.05);
      });
    }, selector);

  it("requests nothing but itself and logs no errors", async () => {
    const { page, requests, messages } = await open(await render(seed, "html"));
    expect(requests).toEqual([page.url()]);
    expect(messages).toEqual([]);
    await page.close();
  });

  it("shows prompts and tokens that look like markup as plain text", async () => {
    const { page, requests, messages } = await open(await render(nastyFinding, "html"));
    expect(requests).toHaveLength(1);
    expect(messages).toEqual([]);
    expect(await page.evaluate("window.broken")).toBeUndefined();
    expect(await page.locator("img, [onload], [onerror], [onclick], a[href^=javascript]").count()).toBe(0);
    expect(await page.locator("script").count()).toBe(3);
    expect(await page.locator("h1").textContent()).toBe(ATTACK);
    for (const kind of ["tokens", "attention", "activations"]) {
      expect(await page.locator(`[id="figure-${kind}"] .token`).first().textContent(), kind).toBe(ATTACK);
    }
    for (const kind of ["topk", "logit-lens"]) {
      expect(await page.locator(`[id="figure-${kind}"] .said`).first().textContent(), kind).toBe(ATTACK);
    }
    expect(await page.locator(".head span").nth(1).textContent()).toBe(ATTACK);
    await page.close();
  });

  it("has SVG that is also well-formed standalone XML, whatever the texts contain", async () => {
    const page = await chromium.browser.newPage();
    for (const spec of [...drawn(nastyFinding).pictures, ...drawn(seed).pictures]) {
      const error = await page.evaluate(
        (svg) => new DOMParser().parseFromString(svg, "image/svg+xml").querySelector("parsererror")?.textContent,
        await picture(spec).svg(),
      );
      expect(error, spec.kind).toBeUndefined();
    }
    const whole = await render(nastyFinding, "svg");
    expect(
      await page.evaluate(
        (svg) => new DOMParser().parseFromString(svg, "image/svg+xml").querySelector("parsererror"),
        whole,
      ),
    ).toBeNull();
    await page.close();
  });

  it("keeps tokens readable on light and on dark pages", async () => {
    for (const colorScheme of ["light", "dark"] as const) {
      const { page } = await open(await render(seed, "html"), { colorScheme });
      const ratios = await contrast(page, ".tokens .token");
      expect(ratios.length).toBeGreaterThan(200);
      expect(Math.min(...ratios)).toBeGreaterThan(4.2);
      await page.close();
    }
  });

  it("swaps the pictures' colours on a dark page, so that 0 is dark there", async () => {
    const html = await picture({ kind: "imshow", name: "m", title: "", values: [[0, 1]] }).html();
    const brightness = async (colorScheme: "light" | "dark") => {
      const { page } = await open(html, { colorScheme });
      const fill = await page
        .locator("g[aria-label=cell] rect")
        .first()
        .evaluate((cell) => getComputedStyle(cell).fill);
      await page.close();
      return fill.match(/\d+/g)!.map(Number)[0];
    };
    expect(await brightness("light")).toBeGreaterThan(220);
    expect(await brightness("dark")).toBeLessThan(60);
  });

  it("is printed in light colours, even from a dark screen", async () => {
    const { page } = await open(await render(seed, "html"), { colorScheme: "dark" });
    await page.emulateMedia({ media: "print", colorScheme: "dark" });
    const canvas = await page.evaluate(() => {
      const probe = document.createElement("div");
      probe.style.color = "canvas";
      document.body.append(probe);
      return getComputedStyle(probe).color;
    });
    expect(canvas).toBe("rgb(255, 255, 255)");
    expect(await page.evaluate(() => getComputedStyle(document.body).color)).toBe("rgb(27, 28, 31)");
    await page.close();
  });

  it("fits a phone without scrolling sideways, with pictures drawn for its width", async () => {
    const { page } = await open(await render(seed, "html"), { viewport: { width: 390, height: 800 } });
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(390);
    expect(await page.locator("figure .narrow svg").first().isVisible()).toBe(true);
    expect(await page.locator("figure .wide svg").first().isVisible()).toBe(false);
    await page.close();
  });

  it("shows a token's values on hover or keyboard focus, and arrows move along the text", async () => {
    const { page } = await open(await render(seed, "html"));
    const tip = page.locator("#tip");
    await page.locator(".tokens .token").nth(3).hover();
    expect(await tip.textContent()).toMatch(/^“␣happy” at position 3\nablation loss difference: [\d.e-]+ nats\n/);
    await page.locator(".tokens .token").first().focus();
    await page.keyboard.press("ArrowRight");
    expect(await tip.textContent()).toContain("“I” at position 1");
    await page.keyboard.press("Escape");
    expect(await tip.isVisible()).toBe(false);
    await page.close();
  });

  it("shows a point's values on hover", async () => {
    const { page } = await open(await render(seed, "html"));
    await page.locator("figure .wide g[aria-label=dot] circle").last().hover();
    expect(await page.locator("#tip").textContent()).toContain("in prompt");
    await page.close();
  });

  it("sorts a table by a click on a heading, numbers numerically and missing values last", async () => {
    const { page } = await open(await render(seed, "html"));
    await page.locator("#table-attribution summary").first().click();
    const heading = page.locator("#table-attribution th", { hasText: "MLP attribution" });
    const cells = () =>
      page
        .locator("#table-attribution tbody td:nth-child(4)")
        .evaluateAll((all) => all.map((td) => (td as HTMLElement).dataset.v!));
    for (const [order, sign] of [
      ["descending", -1],
      ["ascending", 1],
    ] as const) {
      await heading.locator("button").click();
      expect(await heading.getAttribute("aria-sort")).toBe(order);
      const shown = await cells();
      const numbers = shown.filter((v) => v !== "").map(Number);
      expect(numbers).toEqual([...numbers].sort((a, b) => sign * (a - b)));
      expect(shown.slice(numbers.length).every((v) => v === "")).toBe(true);
      expect(shown.length).toBeGreaterThan(numbers.length);
    }
    await page.close();
  });
});
