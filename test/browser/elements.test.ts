/** The custom elements, as a page without a bundler has them: the files of dist/browser/ and examples/embed.html, under a strict policy. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import axeCore from "axe-core";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildBrowser } from "../../scripts/build-browser.ts";
import type { GlassAttention, GlassTokens } from "../../src/elements.ts";
import { seedFinding } from "../report/seed-finding.ts";
import { chromiumPath, launch, type Site, serve } from "./chromium.ts";

const EXAMPLES = fileURLToPath(new URL("../../examples/", import.meta.url));
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'";
const page = (body: string) =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><title>A page</title>
  <script type="module" src="/dist/browser/elements.js"></script><main><h1>A page</h1>${body}</main>`;
const DATA = `{ "tokens": ["a", " b"], "values": { "loss": [1, 2] } }`;

test("without a page, the elements' module can be imported, and defines nothing", async () => {
  const { GlassAttention: Attention } = await import("../../src/elements.ts");
  expect(typeof Attention).toBe("function");
  expect(typeof customElements).toBe("undefined");
});

describe.skipIf(!chromiumPath)("custom elements (skipped without /usr/bin/chromium or CHROMIUM_PATH)", () => {
  const folder = mkdtempSync(join(tmpdir(), "glassformer-elements-"));
  let site: Site;
  let browser: Browser;
  let body = "";

  beforeAll(async () => {
    await buildBrowser(folder);
    writeFileSync(join(folder, "finding.json"), JSON.stringify(seedFinding()));
    site = await serve({
      folders: { "/dist/browser": folder, "/examples": EXAMPLES },
      pages: {},
      answer: ({ url }, response) => {
        response.setHeader("content-security-policy", POLICY);
        if (url !== "/") return false;
        response.setHeader("content-type", "text/html");
        response.end(page(body));
        return true;
      },
    });
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    await site?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function open(path: string, options: Parameters<Browser["newPage"]>[0] = {}) {
    const opened = await browser.newPage({ viewport: { width: 900, height: 900 }, ...options });
    const messages: string[] = [];
    opened.on("console", (message) => messages.push(message.text()));
    opened.on("pageerror", (error) => messages.push(error.message));
    await opened.goto(site.url + path);
    return { page: opened, messages };
  }
  const shown = async (content: string) => {
    body = content;
    return open("/");
  };
  const labels = (opened: Page) => opened.locator(".tokens .token").allTextContents();

  test("in the example show one position in two pictures, and need nothing that a strict policy refuses", async () => {
    const { page: example, messages } = await open("/examples/embed.html");
    const status = example.locator("glass-attention .status");
    await expect.poll(() => status.textContent()).toContain("what each token receives");
    await example.locator("glass-tokens .token").nth(5).hover();
    expect(await status.textContent()).toBe("All heads: where “␣cat” (5) attends to");
    await example.locator("glass-tokens .token").nth(5).click();
    expect(await example.locator("#place").textContent()).toBe('Selected: {"pos":5}');
    await example.locator("h1").hover();
    expect(await status.textContent()).toBe("All heads: where “␣cat” (5) attends to");
    await example.locator("glass-attention .token").nth(2).click();
    expect(await example.locator("#place").textContent()).toBe('Selected: {"pos":2}');
    expect(await example.locator("glass-tokens .chosen").textContent()).toBe("␣sat");
    expect(messages).toEqual([]);
    await example.close();
  });

  test("in the example pass axe-core, light and dark", async () => {
    for (const colorScheme of ["light", "dark"] as const) {
      const { page: example } = await open("/examples/embed.html", { colorScheme, bypassCSP: true });
      await example.locator("glass-attention .status").waitFor();
      await example.evaluate(axeCore.source);
      const found = await example.evaluate(async () => {
        const { axe } = window as unknown as {
          axe: { run(): Promise<{ violations: { id: string; nodes: { html: string; failureSummary: string }[] }[] }> };
        };
        return (await axe.run()).violations.map(
          ({ id, nodes }) => `${id} × ${nodes.length}: ${nodes[0].html.slice(0, 160)} ${nodes[0].failureSummary}`,
        );
      });
      expect(found).toEqual([]);
      await example.close();
    }
  });

  test("take data as an attribute, as JSON inside, as a property, and from a file by the picture's name", async () => {
    const { page: opened, messages } = await shown(`
      <glass-tokens data='${DATA}'></glass-tokens>
      <glass-tokens><script type="application/json">${DATA}</script></glass-tokens>
      <glass-tokens id="property"></glass-tokens>
      <glass-tokens src="/dist/browser/finding.json#ratio"></glass-tokens>
      <glass-tokens src="/dist/browser/finding.json"></glass-tokens>`);
    await opened.evaluate((json) => {
      document.querySelector<GlassTokens>("#property")!.data = JSON.parse(json);
    }, DATA);
    await expect.poll(() => opened.locator("figure").count()).toBe(5);
    const figures = await opened.locator("figure").evaluateAll((all) => all.map((one) => one.dataset.name));
    expect(figures).toEqual(["tokens", "tokens", "tokens", "ratio", "prompts"]);
    expect((await labels(opened)).slice(0, 6)).toEqual(["a", "␣b", "a", "␣b", "a", "␣b"]);
    expect(messages).toEqual([]);
    await opened.close();
  });

  test("take a property that was set before they were defined, and show the state that was", async () => {
    body = "<glass-tokens></glass-tokens>";
    const early = await browser.newPage();
    await early.addInitScript((json) => {
      addEventListener("readystatechange", () => {}, true);
      new MutationObserver((_, observer) => {
        const element = document.querySelector("glass-tokens");
        if (!element) return;
        observer.disconnect();
        Object.assign(element, { data: JSON.parse(json), state: { selected: { pos: 1 } } });
      }).observe(document, { childList: true, subtree: true });
    }, DATA);
    await early.goto(site.url);
    await expect.poll(() => early.locator(".chosen").allTextContents()).toEqual(["␣b"]);
    await early.close();
  });

  test("keep their state when they move, and are empty when they are removed", async () => {
    const { page: opened } = await shown(`<glass-tokens data='${DATA}'></glass-tokens><div id="other"></div>`);
    await opened.locator("glass-tokens .token").nth(1).click();
    await opened.evaluate(() => document.querySelector("#other")!.append(document.querySelector("glass-tokens")!));
    await expect.poll(() => opened.locator("#other .chosen").allTextContents()).toEqual(["␣b"]);
    const left = await opened.evaluate(() => {
      const element = document.querySelector<GlassTokens>("glass-tokens")!;
      element.remove();
      return { nodes: element.shadowRoot!.childNodes.length, selected: element.state.selected };
    });
    expect(left).toEqual({ nodes: 0, selected: { pos: 1 } });
    await opened.close();
  });

  test("report what a user selects and points at as events, and nothing that a program sets", async () => {
    const { page: opened } = await shown(`<glass-attention></glass-attention>`);
    await opened.evaluate(async () => {
      const element = document.querySelector<GlassAttention>("glass-attention")!;
      const heard: unknown[] = [];
      Object.assign(globalThis, { heard });
      for (const event of ["select", "hover"]) {
        element.addEventListener(event, (e) => heard.push([event, (e as CustomEvent).detail]));
      }
      const loaded = new Promise((done) => element.addEventListener("load", done));
      element.data = { tokens: ["a", "b"], patterns: [[[1, 0], [0.5, 0.5]], [[1, 0], [1, 0]]], layers: 4 }; // biome-ignore format: a line
      await loaded;
      element.state = { selected: { layer: 4, head: 1 } };
    });
    expect(await opened.locator(".view .heading").textContent()).toBe("L4H1");
    await opened.locator(".head").nth(1).click();
    await opened.locator("h1").hover();
    const heard = await opened.evaluate(() => (globalThis as unknown as { heard: unknown[] }).heard);
    expect(heard).toEqual([
      ["hover", { layer: 4, head: 0 }],
      ["select", { layer: 4, head: 0 }],
      ["hover", null],
    ]);
    await opened.close();
  });

  test("say in a sentence why there is no picture, and show the next data", async () => {
    const { page: opened } = await shown(`
      <glass-tokens data="{"></glass-tokens>
      <glass-tokens src="/dist/browser/finding.json#ration"></glass-tokens>
      <glass-tokens src="/none.json"></glass-tokens>
      <glass-tokens data='{ "tokens": ["a"], "values": { "loss": [1, 2] } }'></glass-tokens>`);
    const alerts = opened.locator("[role=alert]");
    await expect.poll(() => alerts.count()).toBe(4);
    const said = await alerts.allTextContents();
    expect(said[0]).toMatch(/^The attribute data is not JSON: /);
    expect(said[1]).toBe('There is no picture of the finding "ration". Did you mean "ratio"?');
    expect(said[2]).toMatch(/none\.json could not be read: status 404\.$/);
    expect(said[3]).toMatch(/2/);
    await opened
      .locator("glass-tokens")
      .first()
      .evaluate((element, json) => element.setAttribute("data", json), DATA);
    await expect.poll(() => labels(opened)).toEqual(["a", "␣b"]);
    await opened.close();
  });

  test("are less than 95 kB of compressed code, and a chart less than 15 kB more", async () => {
    site.requests.length = 0;
    const { page: opened } = await shown(`<glass-tokens data='${DATA}'></glass-tokens>`);
    await expect.poll(() => labels(opened)).toEqual(["a", "␣b"]);
    const loaded = () => {
      const names = site.requests.filter((path) => path.endsWith(".js")).map((path) => path.split("/").at(-1)!);
      return names.reduce((sum, name) => sum + gzipSync(readFileSync(join(folder, name))).length, 0);
    };
    const first = loaded();
    expect(first).toBeLessThan(95e3);
    await opened.evaluate(() => {
      const [heatmap] = document.querySelectorAll<GlassTokens>("glass-tokens");
      heatmap.data = { kind: "imshow", name: "m", title: "", values: [[1]] };
    });
    await opened.locator(".wide svg").waitFor();
    expect(loaded() - first).toBeLessThan(15e3);
    await opened.close();
  });
});
