/** What somebody does at random in a page, through what assistive technology sees. */
import type { Locator, Page } from "playwright-core";
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
  "gelu-3l-novels",
  "<b>x</b>",
  "She opened the letter and read it again. ".repeat(250),
];
const KEYS = ["Tab", "Shift+Tab", "Enter", "Escape", "ArrowRight", "ArrowDown", "ArrowLeft", "Home", "End", " "];

/** One action: a key, a step back or forward, the window's width, or something with a role. */
export async function act(page: Page, random: Random): Promise<void> {
  if (random.chance(0.15)) return page.keyboard.press(random.pick(KEYS));
  if (random.chance(0.03)) return step(page, random);
  if (random.chance(0.03)) return page.setViewportSize({ width: random.pick([390, 768, 1280]), height: 900 });
  if (random.chance(0.1)) return page.mouse.move(random.below(1280), random.below(900));
  // A click on the page's name would open it again, with nothing that may have grown.
  const all = page.getByRole(random.pick(ROLES)).filter({ visible: true }).and(page.locator(":not(.top > .name)"));
  const count = await all.count();
  if (count > 0) await use(all.nth(random.below(count)), random);
}

/** A step in the history, if it stays in the page. */
async function step(page: Page, random: Random): Promise<void> {
  const back = random.chance(0.5);
  const can = await page.evaluate(
    (which) => (globalThis as never as { navigation: Record<string, boolean> }).navigation[which],
    back ? "canGoBack" : "canGoForward",
  );
  if (can) await (back ? page.goBack() : page.goForward());
}

async function use(element: Locator, random: Random): Promise<void> {
  const tag = await element.evaluate((one) => `${one.tagName} ${(one as { type?: string }).type ?? ""}`);
  if (tag.startsWith("SELECT")) {
    const options = await element.locator("option").count();
    await element.selectOption({ index: random.below(options) });
  } else if (/^TEXTAREA|^INPUT (text|number|search)/.test(tag)) {
    await element.fill(random.pick(TEXTS));
  } else if (tag === "INPUT file") {
    const name = random.pick(["model.gguf", "model.safetensors", "config.json"]);
    await element.setInputFiles({ name, mimeType: "", buffer: Buffer.from(random.bytes(1000)) });
  } else await element.click();
}
