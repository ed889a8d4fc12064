/** The page as a site of its own, on a host that sends nothing but files. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildSite } from "../../scripts/build-web.ts";
import { chromiumPath, launch } from "./chromium.ts";

/** Machines that test are busy. */
const LIMIT = 60_000;

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".css": "text/css",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

/** Serves a folder's files under /lens/, and a page that has the site in a frame; nothing at all while it is down. */
class Host {
  readonly #folder: string;
  readonly #server: Server;
  isDown = false;

  constructor(folder: string) {
    this.#folder = folder;
    this.#server = createServer(({ url = "" }, response) => {
      if (this.isDown) return response.destroy();
      const path = new URL(url, "http://x").pathname;
      if (path === "/") return response.end('<iframe src="/lens/?embed=1"></iframe>');
      try {
        const file = join(this.#folder, path.replace(/^\/lens\//, "").replace(/^$/, "index.html"));
        const content = readFileSync(file);
        response.setHeader("content-type", TYPES[extname(file)] ?? "application/octet-stream");
        response.setHeader("etag", `"${content.length}"`);
        response.end(content);
      } catch {
        response.writeHead(404).end();
      }
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((listening) => this.#server.listen(0, "127.0.0.1", listening));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

const title = "the page on a static host (skipped without /usr/bin/chromium or CHROMIUM_PATH)";
describe.skipIf(!chromiumPath)(title, { timeout: 3 * LIMIT }, () => {
  const folder = mkdtempSync(join(tmpdir(), "glassformer-site-"));
  const host = new Host(folder);
  let origin: string;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;

  const computed = (of: Pick<Page, "locator"> = page) =>
    of.locator('[data-of="computed"]:not(.outdated) .finding[aria-busy="false"] figure').first().waitFor();
  const isIsolated = () => page.evaluate(() => crossOriginIsolated);

  beforeAll(async () => {
    await buildSite(folder);
    origin = await host.listen();
    browser = await launch();
    context = await browser.newContext();
    context.setDefaultTimeout(LIMIT);
    page = await context.newPage();
  }, 2 * LIMIT);
  afterAll(async () => {
    await browser?.close();
    host.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test("computes at the first visit, in one thread, and is not loaded again by itself", async () => {
    let loads = 0;
    page.on("load", () => loads++);
    await page.goto(`${origin}lens/`);
    await computed();
    await page.evaluate(() => navigator.serviceWorker.ready.then(() => {}));
    expect(await isIsolated()).toBe(false);
    expect(loads).toBe(1);
  });

  test("computes in threads from the second visit on", async () => {
    await page.reload();
    await computed();
    expect(await isIsolated()).toBe(true);
  });

  test("computes without a connection, also what was never shown before", async () => {
    host.isDown = true;
    await context.setOffline(true);
    await page.reload();
    await computed();
    await page.getByRole("button", { name: "logit lens", exact: true }).click();
    await page.locator('[data-analysis="logit-lens"]:not(.outdated) .finding figure').first().waitFor();
    await context.setOffline(false);
    host.isDown = false;
  });

  test("shows another version at the next load, which then opens without a connection, too", async () => {
    const index = join(folder, "index.html");
    writeFileSync(index, readFileSync(index, "utf8").replace("<title>glassformer", "<title>A later glassformer"));
    await page.reload();
    expect(await page.title()).toBe("A later glassformer");
    await computed();
    const worker = join(folder, "service-worker.js");
    writeFileSync(worker, readFileSync(worker, "utf8").replace(/version:(.)/, "version:$1later "));
    // A worker of another version waits until no page of the one before is open.
    await page.evaluate(async () => {
      const registration = (await navigator.serviceWorker.getRegistration())!;
      await registration.update();
    });
    await expect
      .poll(() => page.evaluate(async () => !!(await navigator.serviceWorker.getRegistration())?.waiting), {
        timeout: LIMIT,
      })
      .toBe(true);
    await page.close();
    page = await context.newPage();
    await page.goto(`${origin}lens/`);
    const caches = () => page.evaluate(async () => (await globalThis.caches.keys()).join());
    await expect.poll(caches, { timeout: LIMIT }).toMatch(/^glassformer [^ ]* later [^,]*$/);
    host.isDown = true;
    await page.reload();
    expect(await page.title()).toBe("A later glassformer");
    host.isDown = false;
  });

  test("stands in a frame of a page without such headers", async () => {
    await page.goto(origin);
    const frame = page.frameLocator("iframe");
    await frame.locator(".embedded .finding figure").first().waitFor();
    expect(await page.frames()[1].evaluate(() => [crossOriginIsolated, !!navigator.serviceWorker.controller])).toEqual([
      false,
      true,
    ]);
  });
});
