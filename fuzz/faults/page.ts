/** The page used at random, through what assistive technology sees: no errors on the console, and memory that does not grow. */
import { type ChildProcess, spawn } from "node:child_process";
import { type CDPSession, chromium, type Locator, type Page } from "playwright-core";
import { shown } from "../../src/tensor/show.ts";
import type { Random } from "../random.ts";

/** What a person can act on, by its role. */
const ROLES = ["button", "link", "textbox", "combobox", "checkbox", "radio", "slider", "spinbutton", "option"] as const;
const TEXTS = [
  "",
  "The",
  "She said that she",
  "日本語 🦊",
  "a\n\nb",
  " ",
  "0",
  "-1",
  "1e9",
  "solu-1l-novels",
  "<b>x</b>",
];
const KEYS = ["Tab", "Shift+Tab", "Enter", "Escape", "ArrowRight", "ArrowDown", "ArrowLeft", "Home", "End", " "];
/** An action that is not possible within this many milliseconds is left out. */
const PATIENCE = 1000;

/** Actions one after the other, and what was complained of. */
export async function usedPage(random: Random, actions: number): Promise<Record<string, unknown>> {
  const server = spawn(process.execPath, ["dist/cli/main.js", "serve"], { stdio: ["ignore", "pipe", "inherit"] });
  const url = await firstLine(server);
  const browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu"],
  });
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    page.setDefaultTimeout(PATIENCE);
    const complaints: string[] = [];
    page.on("pageerror", ({ message }) => complaints.push(message));
    page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
    page.on("dialog", (dialog) => dialog.dismiss());
    await page.goto(url, { timeout: 60_000 });
    await page.locator(".finding figure").first().waitFor({ timeout: 60_000 });
    const memory = await page.context().newCDPSession(page);
    const heaps = [await heapOf(memory)];
    let done = 0;
    for (let i = 0; i < actions; i++) {
      done += +(await act(page, random).then(
        () => true,
        () => false,
      ));
      if ((i + 1) % Math.ceil(actions / 10) === 0) heaps.push(await heapOf(memory));
      if (!page.url().startsWith(url)) await page.goto(url, { timeout: 60_000 });
    }
    await page.goto(url, { timeout: 60_000 });
    await page.locator(".finding figure").first().waitFor({ timeout: 60_000 });
    return { actions, done, complaints, "heap in MB": heaps, "still answers": true };
  } finally {
    await browser.close();
    server.kill("SIGINT");
  }
}

function firstLine(server: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    server.stdout!.once("data", (text) => resolve(`${text}`.trim().split("\n")[0]));
    server.once("exit", (code) => reject(new Error(`serve ended with ${shown(code)}`)));
  });
}

async function heapOf(memory: CDPSession): Promise<number> {
  await memory.send("HeapProfiler.collectGarbage");
  const { usedSize } = await memory.send("Runtime.getHeapUsage");
  return Math.round(usedSize / 1e5) / 10;
}

/** One action: a key, a step back or forward, the window's width, or something with a role. */
async function act(page: Page, random: Random): Promise<void> {
  if (random.chance(0.15)) return page.keyboard.press(random.pick(KEYS));
  if (random.chance(0.03)) {
    await (random.chance(0.5) ? page.goBack() : page.goForward());
    return;
  }
  if (random.chance(0.03)) return page.setViewportSize({ width: random.pick([390, 768, 1280]), height: 900 });
  if (random.chance(0.1)) return page.mouse.move(random.below(1280), random.below(900));
  const all = page.getByRole(random.pick(ROLES)).filter({ visible: true });
  const count = await all.count();
  if (count > 0) await use(all.nth(random.below(count)), random);
}

async function use(element: Locator, random: Random): Promise<void> {
  const tag = await element.evaluate((one) => `${one.tagName} ${(one as { type?: string }).type ?? ""}`);
  if (tag.startsWith("SELECT")) {
    const options = await element.locator("option").count();
    await element.selectOption({ index: random.below(options) });
  } else if (/^TEXTAREA|^INPUT (text|number|search)/.test(tag)) {
    await element.fill(random.pick(TEXTS));
  } else if (!tag.startsWith("INPUT file")) await element.click();
}
