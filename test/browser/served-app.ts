/** The page as the package has it: built, served by `glassformer serve`, and open in a real browser that says what it complains of. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { expect } from "vitest";
import { type Installed, installed } from "../repository/installed.ts";
import { addressOf } from "./address.ts";
import { launch } from "./chromium.ts";

/** Machines that test are busy. */
export const LIMIT = 60_000;
export const soon = <T>(read: () => T) => expect.poll(read, { timeout: LIMIT });

export interface ServedApp {
  readonly there: Installed;
  readonly url: string;
  readonly browser: Browser;
  /** Everything that pages wrote to the console as an error. */
  readonly complaints: string[];
  /** A page in a new profile, with nothing stored, or in one that is there. */
  opened(
    address: string,
    options?: { readonly viewport?: { readonly width: number; readonly height: number }; readonly in?: BrowserContext },
  ): Promise<Page>;
  close(): Promise<void>;
}

export async function servedApp(): Promise<ServedApp> {
  const there = await installed({ page: true });
  const server = spawn(process.execPath, [join(there.folder, "dist/cli/main.js"), "serve"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const url = await addressOf(server);
  const browser = await launch();
  const complaints: string[] = [];
  return {
    ...{ there, url, browser, complaints },
    async opened(address, { viewport = { width: 1280, height: 900 }, in: there } = {}) {
      const permissions = ["clipboard-read", "clipboard-write"];
      const context = there ?? (await browser.newContext({ viewport, permissions }));
      context.setDefaultTimeout(LIMIT);
      const tab = await context.newPage();
      tab.on("pageerror", (error) => complaints.push(error.message));
      tab.on("console", (message) => {
        if (message.type() === "error") complaints.push(message.text());
      });
      await tab.goto(address);
      return tab;
    },
    async close() {
      await browser.close();
      server.kill("SIGINT");
      there.remove();
    },
  };
}

/** Once the page has computed what it shows. */
export const computed = (tab: Page, timeout = LIMIT) =>
  tab.locator('[data-of="computed"]:not(.outdated) .finding[aria-busy="false"] figure').first().waitFor({ timeout });

/** What the finding says of the next token's probabilities. */
export const probabilities = (tab: Page) =>
  tab
    .locator("#table-next tbody tr td:nth-child(2)")
    .evaluateAll((cells) => cells.map((td) => Number((td as HTMLElement).dataset.v)));
