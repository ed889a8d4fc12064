/** The built page in a real Chromium, with a model of 12 layers and 12 heads. */
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { listenAt, pageServer } from "../src/cli/page-server.ts";
import { webFolders } from "../src/cli/web-folders.ts";
import { parseConfig } from "../src/models/config/parse.ts";
import { HookedTransformer, writeSafetensors } from "../src/node.ts";
import { GlassformerError } from "../src/tensor/errors.ts";
import { randomWeights } from "./models.ts";

const bundled = fileURLToPath(new URL("../models/gelu-3l-novels/", import.meta.url));
const WAIT = 120_000;
/** An English text that the bundled tokenizer has in few tokens. */
const TEXT = "She opened the letter and read it twice before the fire, and nobody spoke of the old man again. ";

export interface Site {
  readonly page: Page;
  close(): Promise<void>;
}

/** Where Chromium is. @throws GlassformerError if it is not there */
export function chromiumThere(): string {
  const paths = [process.env.CHROMIUM_PATH, "/usr/bin/chromium"];
  const found = paths.find((path) => path && existsSync(path));
  if (found) return found;
  throw new GlassformerError("There is no Chromium: say where it is with CHROMIUM_PATH.");
}

/** The page that `glassformer serve` serves. @throws GlassformerError without a Chromium, or if the page has not been built */
export async function openSite(): Promise<Site> {
  const executablePath = chromiumThere();
  const server = pageServer(await webFolders());
  const browser: Browser = await chromium.launch({ executablePath, args: ["--headless=new", "--no-sandbox"] });
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  page.setDefaultTimeout(WAIT);
  await page.goto(`http://127.0.0.1:${await listenAt(server)}/`);
  await page.locator('[data-of="computed"]').waitFor();
  const close = async () => {
    await browser.close();
    server.close();
  };
  return { page, close };
}

/** Files of a model of GPT-2 small's layers and heads, but narrow, with random weights and a bundled tokenizer. */
export async function writeModel(folder: string): Promise<string[]> {
  const { files: _, rotary_dim: _r, ...given } = JSON.parse(await readFile(join(bundled, "config.json"), "utf8"));
  const dHead = 8;
  const size = { n_layers: 12, n_heads: 12, d_head: dHead, d_model: 12 * dHead, d_mlp: 48 * dHead, n_ctx: 1024 };
  const raw = { ...given, ...size, attn_scale: Math.sqrt(dHead), positional_embedding_type: "standard" };
  const { architecture: _a, ...config } = raw;
  const weights = writeSafetensors(randomWeights(parseConfig(config)));
  const contents: Readonly<Record<string, string | Uint8Array>> = {
    "config.json": JSON.stringify(raw),
    "model.safetensors": weights,
    "tokenizer.json": await readFile(join(bundled, "tokenizer.json"), "utf8"),
  };
  await mkdir(folder, { recursive: true });
  for (const [name, content] of Object.entries(contents)) await writeFile(join(folder, name), content);
  return Object.keys(contents).map((name) => join(folder, name));
}

/** A text of this many tokens, BOS included. */
export async function textOf(tokens: number): Promise<string> {
  const model = await HookedTransformer.fromPretrained("gelu-3l-novels");
  const ids = model.toTokens(TEXT.repeat(tokens), { truncate: false }).data;
  return model.text!.decode(Array.from(ids, Number).slice(1, tokens));
}

/** Opens a model's files, and waits for what the page shows first. */
export async function chooseModel(page: Page, files: readonly string[]): Promise<void> {
  await page.locator(".model > button").click();
  await page.getByLabel("Files of this computer").setInputFiles([...files]);
  await page.locator(".model > small", { hasText: "12 layers, 12 heads" }).waitFor();
  await computed(page, "look");
}

/** Waits until the page shows the finding of an analysis, of what it is now set to. */
export async function computed(page: Page, analysis: string): Promise<void> {
  const shown = `.found[aria-busy="false"] [data-analysis="${analysis}"][data-of="computed"]:not(.outdated) .finding[aria-busy="false"] figure`;
  await page.locator(shown).first().waitFor({ state: "attached" });
}
