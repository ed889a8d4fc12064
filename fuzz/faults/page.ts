/** The page used at random, through what assistive technology sees: no errors on the console, and memory that does not grow. */
import { spawn } from "node:child_process";
import { type Browser, chromium, type Page } from "playwright-core";
import { addressOf } from "../../test/browser/address.ts";
import type { Random } from "../random.ts";
import { act } from "./page-actions.ts";
import { MemoryOf, type PageMemory } from "./page-memory.ts";

/** An action that is not possible within this many milliseconds is left out. */
const PATIENCE = 1000;
const LONG = 120_000;
/** How often memory is read on the way. */
const PARTS = 6;
/** Of actions with the network on, how many are followed by some without it. */
const CUTS = 0.005;
const WITHOUT_NETWORK = 5;
/** What the browser itself writes of requests without a network. */
const OFFLINE = /ERR_INTERNET_DISCONNECTED/;
const KILLS = 10;

/** How long to go on: this many actions, or minutes. */
export type Length = { readonly actions: number } | { readonly minutes: number };

/** Actions one after the other; then the worker is killed some times. @returns what was complained of, and the memory on the way */
export async function usedPage(random: Random, length: Length): Promise<Record<string, unknown>> {
  const server = spawn(process.execPath, ["dist/cli/main.js", "serve"], { stdio: ["ignore", "pipe", "inherit"] });
  const browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: ["--headless=new", "--no-sandbox", "--disable-gpu"],
  });
  try {
    const use = new Use(await opened(browser, await addressOf(server)), random);
    await use.go(length);
    const restarts = await use.kills().catch((error: Error) => error.message);
    return { ...use.found, "workers killed and replaced": restarts, "still answers": await use.answers() };
  } finally {
    await browser.close();
    server.kill("SIGINT");
  }
}

async function opened(browser: Browser, url: string): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  await page.goto(url, { timeout: LONG });
  await computed(page);
  page.setDefaultTimeout(PATIENCE);
  return page;
}

const computed = (page: Page) =>
  page
    .locator("[data-of=computed]:not(.outdated) .finding[aria-busy=false]")
    .waitFor({ timeout: LONG, state: "attached" });

class Use {
  readonly #page: Page;
  readonly #random: Random;
  readonly #url: string;
  readonly #memory: MemoryOf;
  readonly found = {
    actions: 0,
    done: 0,
    "times opened again": 0,
    "cuts of the network": 0,
    complaints: [] as string[],
    "memory in MB": [] as (PageMemory & { readonly after: string })[],
  };

  constructor(page: Page, random: Random) {
    this.#page = page;
    this.#random = random;
    this.#url = page.url();
    this.#memory = new MemoryOf(page);
    page.on("pageerror", ({ message }) => this.found.complaints.push(message));
    page.on("console", (message) => {
      if (message.type() === "error" && !OFFLINE.test(message.text())) this.found.complaints.push(message.text());
    });
    page.on("dialog", (dialog) => dialog.dismiss());
    page.on("load", () => this.found["times opened again"]++);
  }

  async go(length: Length): Promise<void> {
    const start = performance.now();
    const minutes = () => (performance.now() - start) / 60_000;
    const share = () => ("minutes" in length ? minutes() / length.minutes : this.found.actions / length.actions);
    for (let part = 0; part <= PARTS; part++) {
      while (share() < part / PARTS) await this.#act();
      await this.#measure(`${this.found.actions} actions, ${minutes().toFixed(1)} minutes`);
    }
  }

  async #act(): Promise<void> {
    const { found } = this;
    if (this.#random.chance(CUTS)) {
      found["cuts of the network"]++;
      await this.#page.context().setOffline(true);
      for (let i = 0; i < WITHOUT_NETWORK; i++) await this.#once();
      await this.#page.context().setOffline(false);
    }
    await this.#once();
    if (!this.#page.url().startsWith(this.#url)) await this.#page.goto(this.#url, { timeout: LONG });
  }

  async #once(): Promise<void> {
    this.found.actions++;
    this.found.done += +(await act(this.#page, this.#random).then(
      () => true,
      () => false,
    ));
  }

  async #measure(after: string): Promise<void> {
    // What an analysis holds while it runs is not what is left of it.
    const stop = this.#page.locator(".asking .start").getByRole("button", { name: "Stop" });
    if (await stop.isVisible()) await stop.click().catch(() => {});
    const memory = { after, ...(await this.#memory.read()) };
    this.found["memory in MB"].push(memory);
    process.stderr.write(`${JSON.stringify(memory)}\n`);
  }

  /** Ends the worker again and again, in the middle of an action. @returns how often the page started another one by its button */
  async kills(): Promise<number> {
    let restarts = 0;
    await this.answers();
    for (let i = 0; i < KILLS; i++) {
      await this.#once();
      // A worker whose script has not run yet holds no lock.
      await this.#page.locator(".model > small").waitFor({ timeout: LONG, state: "attached" });
      for (const worker of this.#page.workers()) await worker.evaluate(() => close()).catch(() => {});
      const again = this.#page.getByRole("button", { name: "Start again" });
      await again.click({ timeout: LONG });
      await again.waitFor({ state: "detached", timeout: LONG });
      restarts++;
    }
    return restarts;
  }

  /** Whether the page, opened again, still computes. */
  async answers(): Promise<boolean> {
    await this.#page.goto("about:blank");
    await this.#page.goto(this.#url, { timeout: LONG });
    await computed(this.#page);
    return true;
  }
}
