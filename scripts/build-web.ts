/**
 * Builds the page. `npm run build` writes what the package has of it, to dist/web/; `npm run build:web` a whole site for any host, to
 * site/: the same with the bundled models and onnxruntime's WebAssembly, which the package's `serve` reads from where they already are.
 */
import { cpSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Plugin, type Rolldown } from "vite";
import { isRuntimeFile, runtimeFolder } from "../src/cli/web-folders.ts";
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
    define: { RUNTIME_FOLDER: JSON.stringify(`./${runtimeFolder().name}/`) },
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
    transformIndexHtml: (html, { bundle = {} }) => ({
      html: html.replace("CONTENT_POLICY", CONTENT_POLICY),
      tags: [{ rel: "stylesheet", href: "./report.css" }, ...soonNeeded(bundle)].map((attrs) => ({
        ...{ tag: "link", attrs, injectTo: "head" as const },
      })),
    }),
    async generateBundle() {
      const style = `@layer report { ${pageStyle("", new PageNeeds())} }`;
      this.emitFile({ type: "asset", fileName: "report.css", source: style });
      this.emitFile({ type: "asset", fileName: "first.json", source: JSON.stringify(await firstPaint()) });
    },
  };
}

/** Links to what the page asks for in its first moments, so that a browser need not find it file by file. */
function soonNeeded(bundle: Rolldown.OutputBundle): Record<string, string>[] {
  const chunks = Object.values(bundle).filter((file) => file.type === "chunk");
  const entry = chunks.find(({ isEntry }) => isEntry);
  const names = new Set<string>(entry?.dynamicImports);
  for (const name of names) {
    for (const next of chunks.find(({ fileName }) => fileName === name)!.imports) names.add(next);
  }
  const scripts = [...names].filter((name) => name !== entry?.fileName);
  return [
    ...scripts.map((name) => ({ rel: "modulepreload", href: `./${name}` })),
    { rel: "preload", href: "./first.json", as: "fetch", crossorigin: "anonymous" },
  ];
}

/** Adds what makes the page's files a site that needs nothing else. */
export function addModelsAndRuntime(folder: string): void {
  for (const name of bundledModels) {
    cpSync(join(root, "models", name), join(folder, "models", name), { recursive: true });
  }
  const { path, name } = runtimeFolder();
  mkdirSync(join(folder, name), { recursive: true });
  for (const file of readdirSync(path).filter(isRuntimeFile)) cpSync(join(path, file), join(folder, name, file));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const whole = process.argv.includes("--site");
  const folder = join(root, whole ? "site" : "dist/web");
  await buildWeb(folder);
  if (whole) addModelsAndRuntime(folder);
}
