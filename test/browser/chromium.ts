/** A real browser and a real server for the tests that need them. */
import { createReadStream, existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { build } from "vite";

/** Where Chromium is, if it is. */
export const chromiumPath = [process.env.CHROMIUM_PATH, "/usr/bin/chromium"].find((path) => path && existsSync(path));

/**
 * @param webgpu whether pages have a graphics processor: one made of software
 * @param wasmPages the most memory of a WebAssembly module, in pages of 64 KiB
 */
export function launch({
  webgpu = false,
  wasmPages,
}: {
  readonly webgpu?: boolean;
  readonly wasmPages?: number;
} = {}): Promise<Browser> {
  return chromium.launch({
    executablePath: chromiumPath!,
    args: [
      "--headless=new",
      "--no-sandbox",
      ...(webgpu ? ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"] : ["--disable-gpu"]),
      ...(wasmPages === undefined ? [] : [`--js-flags=--wasm-max-mem-pages=${wasmPages}`]),
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--no-first-run",
    ],
  });
}

/** A page on a site, once its script has put `name` into the global scope. @throws what the page's script threw */
export async function open(browser: Browser, url: string, name: string): Promise<Page> {
  const page = await browser.newPage();
  const failed = new Promise<never>((_, reject) => page.once("pageerror", reject));
  await page.goto(url);
  await Promise.race([page.waitForFunction((wanted) => wanted in globalThis, name), failed]);
  failed.catch(() => {});
  return page;
}

/** A page of `pages/` built from the source, on a site of its own at `/`. @param folders what else the site has */
export async function servePage(
  name: string,
  folders: Readonly<Record<string, string>> = {},
  more: Pick<SiteOptions, "answer"> = {},
): Promise<Site> {
  const folder = mkdtempSync(join(tmpdir(), `glassformer-${name}-`));
  await build({
    configFile: false,
    logLevel: "warn",
    build: {
      outDir: folder,
      emptyOutDir: true,
      minify: false,
      rollupOptions: {
        input: fileURLToPath(new URL(`pages/${name}.ts`, import.meta.url)),
        output: { entryFileNames: `${name}.js` },
      },
    },
  });
  const site = await serve({ ...more, folders: { ...folders, "": folder }, pages: { "/": `/${name}.js` } });
  const close = async () => {
    await site.close();
    rmSync(folder, { recursive: true, force: true });
  };
  return { ...site, close };
}

const types: Readonly<Record<string, string>> = {
  ".css": "text/css",
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

export interface Site {
  readonly url: string;
  /** Paths asked for, in order. */
  readonly requests: string[];
  /** Those of them whose bytes were sent. */
  readonly downloads: string[];
  close(): Promise<void>;
}

export interface SiteOptions {
  /** Folders by the path they are served under: `{ "/models": "…" }`. */
  readonly folders: Readonly<Record<string, string>>;
  /** Pages by path, each the script that it runs. */
  readonly pages: Readonly<Record<string, string>>;
  /** Pages may share memory between threads (COOP and COEP), as fast sites arrange. */
  readonly isolated?: boolean;
  /** Anything else: `true` if it was answered. */
  readonly answer?: (request: IncomingMessage, response: ServerResponse) => boolean;
}

export async function serve({ folders, pages, isolated = false, answer }: SiteOptions): Promise<Site> {
  const requests: string[] = [];
  const downloads: string[] = [];
  const server = createServer((request, response) => {
    // Browsers ask for it by themselves, sooner or later.
    if (request.url === "/favicon.ico") {
      response.writeHead(204).end();
      return;
    }
    const path = normalize(decodeURIComponent(new URL(request.url ?? "", "http://x").pathname));
    requests.push(path);
    if (isolated) {
      response.setHeader("cross-origin-opener-policy", "same-origin");
      response.setHeader("cross-origin-embedder-policy", "require-corp");
      response.setHeader("cache-control", "no-cache"); // a thread's script is asked for, too
    }
    if (answer?.(request, response)) return;
    if (pages[path]) {
      response.setHeader("content-type", "text/html");
      response.end(
        `<!doctype html><meta charset="utf-8"><title>test</title><script type="module" src="${pages[path]}"></script>`,
      );
      return;
    }
    const prefix = Object.keys(folders).find((folder) => path.startsWith(`${folder}/`));
    const file = prefix !== undefined && join(folders[prefix], path.slice(prefix.length));
    if (!file || !existsSync(file) || !statSync(file).isFile()) {
      response.writeHead(404).end();
      return;
    }
    response.setHeader("content-type", types[extname(file)] ?? "application/octet-stream");
    const modified = statSync(file).mtime.toUTCString();
    response.setHeader("last-modified", modified);
    if (request.headers["if-modified-since"] === modified) {
      response.writeHead(304).end();
      return;
    }
    response.setHeader("content-length", statSync(file).size);
    if (request.method === "HEAD") {
      response.end();
      return;
    }
    downloads.push(path);
    createReadStream(file).pipe(response);
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ...{ requests, downloads },
    close: () => {
      server.closeAllConnections();
      return new Promise((closed) => server.close(() => closed()));
    },
  };
}
