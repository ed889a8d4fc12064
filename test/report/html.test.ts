import { createHash } from "node:crypto";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { PictureSpec } from "../../src/finding/picture.ts";
import { picture, render } from "../../src/report/index.ts";
import { SCRIPTS, type ScriptName } from "../../src/report/page/scripts.ts";
import { drawn } from "../../src/report/views/picture-of.ts";
import { hasChromium, launch } from "./chromium.ts";
import { ATTACK, nastyFinding } from "./nasty.ts";
import { seedFinding } from "./seed-finding.ts";

const seed = seedFinding();

describe("a finding as HTML", () => {
  it("begins with the question, the answer in a sentence and its picture; then other results, tables and the method", async () => {
    const html = await render(seed, "html");
    const order = ["<h1>", 'class="lead"', '<figure id="figure-prompts"', 'class="results"', "<h2", "<table"];
    const places = [...order, ...["comparisons", "caveats", "method", "settings"].map((id) => `id="${id}"`)].map(
      (part) => html.indexOf(part),
    );
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(places[0]).toBeGreaterThan(0);
  });

  it("begins with the picture that the finding names, and shows it once", async () => {
    const html = await render({ ...seed, answerPicture: "neurons" }, "html");
    const figures = [...html.matchAll(/<figure id="figure-([^"]+)"/g)].map(([, name]) => name);
    expect(figures).toEqual(["neurons", "prompts", "ablation-outlier", "pre-post", "ratio"]);
    expect(html).toContain("<b>Figure 1. The largest neurons of the top tokens.</b>");
  });

  it("leaves out a part whose only picture is the answer", async () => {
    const [, attribution] = seed.parts!;
    const pictures = seed.pictures.filter(({ part }) => part === "attribution");
    const { text: _, ...silent } = attribution;
    const lonely = { ...seed, pictures, parts: [silent], tables: [] };
    expect(await render(lonely, "html")).not.toContain('id="part-attribution"');
    expect(await render({ ...lonely, parts: [attribution] }, "html")).toContain('id="part-attribution"');
  });

  it("describes each baseline once, where it is first needed, and names it after that", async () => {
    const twice = { ...seed, summary: [seed.summary[0], ...seed.summary] as const };
    const [above, below] = (await render(twice, "html")).split('<div class="back">');
    expect([...above.matchAll(/Compared with all positions: /g)]).toHaveLength(1);
    expect([...above.matchAll(/Compared with control positions: /g)]).toHaveLength(1);
    expect(above).toContain('Compare with <a href="#baseline-control-positions">control positions</a>.');
    expect(below).toContain('<dt id="baseline-control-positions">');
  });

  it("allows its own scripts and no others", async () => {
    const hash = (text: string) => `sha256-${createHash("sha256").update(text).digest("base64")}`;
    for (const script of Object.values(SCRIPTS)) expect(script.hash).toBe(hash(script.text));
    const policy = async (finding: typeof seed) => (await render(finding, "html")).match(/script-src ([^;]+);/)![1];
    const allowed = (...names: ScriptName[]) => names.map((name) => `'${SCRIPTS[name].hash}'`).join(" ");
    expect(await policy(nastyFinding)).toBe(
      allowed("page", "linked", "charts", "attention", "activations", "graph", "files"),
    );
    expect(await policy(seed)).toBe(allowed("page", "linked", "charts", "files"));
  });

  it("says how pictures are used once for each kind, and in no static picture", async () => {
    const [tokens] = seed.pictures;
    const html = await render({ ...seed, pictures: [tokens, { ...tokens, name: "again" }] }, "html");
    expect([...html.matchAll(/Point at a token for its values\./g)]).toHaveLength(1);
    expect(await picture(tokens as PictureSpec).svg()).not.toContain("Point at");
  });

  it("has nothing to copy without a provenance", async () => {
    const have = (html: string) => /data-have="([^"]*)"/.exec(html)![1].replaceAll("&quot;", '"');
    expect(JSON.parse(have(await render(seed, "html"))).copies).toEqual([]);
  });

  it("gives every picture a description and every table a caption", async () => {
    const html = await render(seed, "html");
    expect([...html.matchAll(/<svg /g)].length).toBe(
      [...html.matchAll(/<svg [^>]*role="img" aria-label="[^"]+"/g)].length,
    );
    expect([...html.matchAll(/<table /g)].length).toBe(2);
    for (const [, id] of html.matchAll(/<table [^>]*aria-labelledby="([^"]+)"/g))
      expect(html).toContain(`<b id="${id}">`);
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
    expect(await page.locator("script").count()).toBe(7);
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
        .locator("g[data-mark=cell] rect")
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

  it("folds the method and what belongs to it on a screen, and prints all of it", async () => {
    const { page } = await open(await render(seed, "html"));
    const sections = page.locator(".section > :last-child");
    const shown = () =>
      sections.evaluateAll((all) => all.filter((one) => one.checkVisibility({ contentVisibilityAuto: true })).length);
    const heights = () =>
      page.locator(".section").evaluateAll((all) => all.map((one) => one.getBoundingClientRect().height));
    const folded = await heights();
    expect(await sections.count()).toBe(5);
    expect(await shown()).toBe(0);
    await page.emulateMedia({ media: "print" });
    for (const [i, height] of (await heights()).entries()) expect(height).toBeGreaterThan(folded[i]);
    await page.close();
  });

  it("opens the folded comparisons when a table's comparison is followed, and again after they are folded", async () => {
    const { page } = await open(await render(seed, "html"));
    const comparison = page.locator('[id="baseline-control-positions"]');
    const follow = () => page.locator("#table-top .note a").first().click();
    await follow();
    expect(await comparison.isVisible()).toBe(true);
    await page.locator("details", { has: comparison }).locator("summary").click();
    expect(await comparison.isVisible()).toBe(false);
    await follow();
    expect(await comparison.isVisible()).toBe(true);
    await page.close();
  });

  it("has its contents beside the text where there is room, below the results elsewhere, and not on paper", async () => {
    const { page } = await open(await render(seed, "html"), { viewport: { width: 1280, height: 900 } });
    const contents = page.locator(".contents");
    const lead = page.locator(".lead");
    const right = async () => (await contents.boundingBox())!.x + (await contents.boundingBox())!.width;
    expect(await right()).toBeLessThan((await lead.boundingBox())!.x);
    await contents.locator("a", { hasText: "Caveats" }).click();
    expect(await page.locator("#caveats ul").isVisible()).toBe(true);
    await contents.locator("a", { hasText: "question asked" }).click();
    await expect
      .poll(() => contents.locator("[aria-current]").textContent())
      .toBe("The question asked of attributions");
    await page.setViewportSize({ width: 1000, height: 900 });
    expect((await contents.boundingBox())!.y).toBeGreaterThan((await page.locator(".results").boundingBox())!.y);
    await page.emulateMedia({ media: "print" });
    expect(await contents.isVisible()).toBe(false);
    await page.close();
  });

  it("lets wide tables go beyond the text, up to the window, then scroll with a fade, the first column and the head in place", async () => {
    const long = Array.from({ length: 40 }, (_, i) => ` token${i}`);
    const cells = long.map((token) => ({ top: [{ token, probability: 0.5 }] }));
    const spec = {
      kind: "logit-lens",
      name: "long",
      title: "Long",
      tokens: long,
      layers: [{ name: "0_pre", cells }],
    } as const;
    const { page } = await open(await render({ ...seed, pictures: [spec, ...seed.pictures] }, "html"), {
      viewport: { width: 1280, height: 900 },
    });
    const box = page.locator("#figure-long .scroll");
    const { x, width } = (await box.boundingBox())!;
    expect(x).toBe((await page.locator(".lead").boundingBox())!.x);
    expect(x + width).toBe(1240);
    await expect.poll(() => box.getAttribute("data-more")).toBe("");
    const head = page.locator("#figure-long tbody th");
    const before = (await head.boundingBox())!.x;
    await box.evaluate((one) => one.scrollTo(one.scrollWidth, 0));
    await expect.poll(() => box.getAttribute("data-more")).toBeNull();
    // Within the space between cells.
    expect(Math.abs((await head.boundingBox())!.x - before)).toBeLessThan(3);
    const cut = await page
      .locator("#figure-long .said")
      .evaluateAll((all) => all.filter((one) => one.scrollWidth > one.clientWidth));
    expect(cut).toEqual([]);
    await page.locator("#table-attribution summary").first().click();
    const tall = page.locator("#table-attribution .scroll");
    const top = async () => (await tall.locator("th").first().boundingBox())!.y - (await tall.boundingBox())!.y;
    await tall.evaluate((one) => one.scrollTo(0, 3000));
    expect(await top()).toBe(0);
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
    expect(await tip.textContent()).toMatch(/^“␣happy” at position 3\nablation loss difference: [\d.e−]+ nats\n/);
    await page.locator(".tokens .token").first().focus();
    await page.keyboard.press("ArrowRight");
    expect(await tip.textContent()).toContain("“I” at position 1");
    await page.keyboard.press("Escape");
    expect(await tip.isVisible()).toBe(false);
    await page.close();
  });

  it("shows a point's values on hover", async () => {
    const { page } = await open(await render(seed, "html"));
    await page.locator("figure .wide g[data-mark=dot] circle").last().hover();
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
