/**
 * Builds the page. `npm run build` writes what the package has of it, to dist/web/; `npm run build:web` a whole site for any host, to
 * site/: the same with the bundled models and onnxruntime's WebAssembly, which the package's `serve` reads from where they already are.
 */
import { cpSync, mkdirSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Plugin } from "vite";
import { bundledModels } from "../src/load/names.ts";
import "../src/node.ts";
import { PageNeeds } from "../src/report/page/needs.ts";
import { pageStyle } from "../src/report/page/style.ts";
import { CONTENT_POLICY } from "../src/web-app/content-policy.ts";
import { firstPaint } from "../src/web-app/first-paint.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
const source = join(root, "src/web-app");

/** @param folder where the page's own files go */
export async function buildWeb(folder: string): Promise<void> {
  await build({
    root: source,
    configFile: false,
    base: "./",
    logLevel: "error",
    publicDir: false,
    plugins: [page()],
    resolve: { conditions: ["onnxruntime-web-use-extern-wasm", "browser", "module", "import", "default"] },
    oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
    // Everything lies in one folder: onnxruntime looks for its WebAssembly next to the script that it is in.
    build: { outDir: folder, emptyOutDir: true, assetsDir: "", modulePreload: false, chunkSizeWarningLimit: 2000 },
    worker: { format: "es" },
  });
}

/** The page's content security policy, and what it shows before a model is there, made by the library. */
function page(): Plugin {
  return {
    name: "glassformer-page",
    enforce: "pre",
    // It draws charts where there is no document: a page has one.
    resolveId: (id) => (id === "linkedom/worker" ? "\0no-document" : undefined),
    load: (id) => (id === "\0no-document" ? "export {};" : undefined),
    transformIndexHtml: (html) => ({
      html: html.replace("CONTENT_POLICY", CONTENT_POLICY),
      tags: [{ tag: "link", attrs: { rel: "stylesheet", href: "./report.css" }, injectTo: "head" }],
    }),
    async generateBundle() {
      const style = `@layer report { ${pageStyle("", new PageNeeds())} }`;
      this.emitFile({ type: "asset", fileName: "report.css", source: style });
      this.emitFile({ type: "asset", fileName: "first.json", source: JSON.stringify(await firstPaint()) });
    },
  };
}

/** Adds what makes the page's files a site that needs nothing else. */
export function addModelsAndRuntime(folder: string): void {
  for (const name of bundledModels) {
    cpSync(join(root, "models", name), join(folder, "models", name), { recursive: true });
  }
  const runtime = dirname(createRequire(import.meta.url).resolve("onnxruntime-web"));
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(runtime).filter((file) => /^ort-wasm-.*\.(mjs|wasm)$/.test(file))) {
    cpSync(join(runtime, name), join(folder, name));
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const whole = process.argv.includes("--site");
  const folder = join(root, whole ? "site" : "dist/web");
  await buildWeb(folder);
  if (whole) addModelsAndRuntime(folder);
}
