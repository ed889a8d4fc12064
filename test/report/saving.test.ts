/** The buttons of a report: what they save and copy, in a real browser. */
import { readFile } from "node:fs/promises";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withProvenance } from "../../src/finding/provenance.ts";
import { render, reportFiles } from "../../src/report/index.ts";
import "../../src/node.ts";
import { hasChromium, launch } from "./chromium.ts";
import { nastyFinding } from "./nasty.ts";
import { textsOf } from "./png-texts.ts";
import { seedFinding } from "./seed-finding.ts";

const command = "npx glassformer diffuse-mlp --prompts 'Mary''s.txt'";
const code = `const finding = "<b>&amp;";\n`;
const seed = withProvenance(seedFinding(), { command, code, date: new Date(0) });

describe.skipIf(!hasChromium)("a report's buttons (skipped without /usr/bin/chromium)", () => {
  let chromium: Awaited<ReturnType<typeof launch>>;
  beforeAll(async () => {
    chromium = await launch();
  });
  afterAll(() => chromium?.close());

  const saved = async (page: Page, label: string) => {
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: label, exact: true }).click(),
    ]);
    return { name: download.suggestedFilename(), content: await readFile(await download.path()) };
  };

  it("save what a folder of files has: SVG and JSON of a picture, CSV and JSON of a table", async () => {
    const files = new Map((await reportFiles(seed)).map(({ name, content }) => [name, content]));
    const { page, requests, messages } = await chromium.open(await render(seed, "html"));
    for (const [label, file] of [
      ["Save as SVG: Ratio of outlier scores after and before mlp.ln", "ratio.svg"],
      ["Save as JSON: Ratio of outlier scores after and before mlp.ln", "ratio.json"],
      ["Save as CSV: Highest scores", "top.csv"],
      ["Save as JSON: Highest scores", "top.json"],
    ]) {
      const { name, content } = await saved(page, label);
      expect(name).toBe(file);
      expect(content.toString()).toBe(files.get(file));
    }
    expect(requests.filter((url) => !/^(blob|data):/.test(url))).toEqual([page.url()]);
    expect(messages).toEqual([]);
    await page.close();
  });

  it("draw a PNG from the SVG, twice as large, on white", async () => {
    const { page, messages } = await chromium.open(await render(seed, "html"), { colorScheme: "dark" });
    const { name, content } = await saved(page, "Save as PNG: Ratio of outlier scores after and before mlp.ln");
    expect(name).toBe("ratio.png");
    expect(content.toString("latin1", 1, 4)).toBe("PNG");
    const static_ = new Map((await reportFiles(seed)).map(({ name, content }) => [name, content]));
    const other = Buffer.from(static_.get("ratio.png") as Uint8Array);
    expect([content.readUInt32BE(16), content.readUInt32BE(20)]).toEqual([
      other.readUInt32BE(16),
      other.readUInt32BE(20),
    ]);
    expect(textsOf(content)).toEqual(textsOf(other));
    expect(textsOf(content)).toMatchObject({ Source: command });
    const corner = await page.evaluate(async (base64) => {
      const image = new Image();
      image.src = `data:image/png;base64,${base64}`;
      await image.decode();
      const canvas = document.createElement("canvas");
      const context = canvas.getContext("2d")!;
      context.drawImage(image, 0, 0);
      return [...context.getImageData(0, 0, 1, 1).data];
    }, content.toString("base64"));
    expect(corner).toEqual([255, 255, 255, 255]);
    expect(messages).toEqual([]);
    await page.close();
  });

  it("copy the command and the code that make the finding, also where the clipboard is closed", async () => {
    const context = await chromium.browser.newContext({ permissions: ["clipboard-read", "clipboard-write"] });
    const { page } = await chromium.open(await render(seed, "html"), {}, context);
    const pasted = () => page.evaluate(() => navigator.clipboard.readText());
    const buttons = page.locator(".kicker .get button");
    for (const [i, text] of [command, code].entries()) {
      await buttons.nth(i).click();
      await expect.poll(() => buttons.nth(i).textContent()).toBe("Copied");
      expect(await pasted()).toBe(text);
    }
    await expect.poll(() => buttons.allTextContents(), { timeout: 5000 }).toEqual(["Copy command", "Copy code"]);
    await page.evaluate(() => {
      navigator.clipboard.writeText = () => Promise.reject(new Error("closed"));
    });
    await page.getByRole("button", { name: "Copy command that makes this finding" }).click();
    await expect.poll(pasted).toBe(command);
    await context.close();
  });

  it("are reached by the keyboard, small, and not printed", async () => {
    const { page } = await chromium.open(await render(seed, "html"));
    const button = page.getByRole("button", { name: "Copy command that makes this finding" });
    await page.keyboard.press("Tab");
    expect(await button.evaluate((one) => one === document.activeElement)).toBe(true);
    expect((await button.boundingBox())!.height).toBeLessThan(30);
    expect(await page.locator("figure .get, .table .get").count()).toBe(seed.pictures.length + seed.tables.length);
    await page.emulateMedia({ media: "print" });
    expect(await page.locator(".get:visible").count()).toBe(0);
    await page.close();
  });

  it("save texts that look like markup unchanged", async () => {
    const { page, messages } = await chromium.open(await render(nastyFinding, "html"));
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.locator('[id="figure-tokens"] .get button').last().click(),
    ]);
    expect(JSON.parse(await readFile(await download.path(), "utf8"))).toEqual(nastyFinding.pictures[0]);
    expect(await page.evaluate("window.broken")).toBeUndefined();
    expect(messages).toEqual([]);
    await page.close();
  });
});
