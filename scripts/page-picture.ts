/**
 * The picture of the page in docs/web.md and README.md, by a real browser: `npm run picture`, after `npm run build`. It is what Chromium draws on one
 * machine, so no test compares it.
 */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { listenAt, pageServer } from "../src/cli/page-server.ts";
import { webFolders } from "../src/cli/web-folders.ts";

const target = fileURLToPath(new URL("../docs/pictures/page.png", import.meta.url));
const executablePath = [process.env.CHROMIUM_PATH, "/usr/bin/chromium"].find((path) => path && existsSync(path));
if (!executablePath) throw new Error("There is no Chromium: install one, or say where it is with CHROMIUM_PATH.");

const server = pageServer(await webFolders());
const browser = await chromium.launch({ executablePath, args: ["--headless=new", "--no-sandbox"] });
const page = await browser.newPage({ viewport: { width: 1180, height: 820 } });
await page.goto(`http://127.0.0.1:${await listenAt(server)}/`);
await page.locator('[data-of="computed"] .finding[aria-busy="false"] figure').first().waitFor();
await page.locator(".prompt-tokens .token").first().waitFor();
await page.screenshot({ path: target });
await browser.close();
server.close();
