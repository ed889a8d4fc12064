/** A page in the system's Chromium, opened from a file as a reader would, with all its requests and complaints. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Browser, type BrowserContext, chromium } from "playwright-core";

const CHROMIUM = "/usr/bin/chromium";
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export const hasChromium = existsSync(CHROMIUM);

export async function launch() {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  const folder = mkdtempSync(join(tmpdir(), "report-"));
  return {
    browser,
    async open(html: string, options: Parameters<Browser["newPage"]>[0] = {}, context?: BrowserContext) {
      const page = await (context ? context.newPage() : browser.newPage(options));
      const seen = { requests: [] as string[], messages: [] as string[] };
      page.on("request", (request) => seen.requests.push(request.url()));
      page.on("console", (message) => seen.messages.push(message.text()));
      page.on("pageerror", (error) => seen.messages.push(error.message));
      const file = join(folder, "page.html");
      writeFileSync(file, html);
      await page.goto(pathToFileURL(file).href);
      return { page, ...seen };
    },
    async close() {
      await browser.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
