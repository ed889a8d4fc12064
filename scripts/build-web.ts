/**
 * Builds the page. `npm run build` writes what the package has of it, to dist/web/; `npm run build:web` a whole site for any host, to
 * site/: the same with the bundled models and onnxruntime's WebAssembly, which the package's `serve` reads from where they already are.
 */
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Plugin, type Rolldown } from "vite";
import { isHashed, isRuntimeFile, runtimeFolder } from "../src/cli/web-folders.ts";
import { writeOnnx } from "../src/engine/onnx.ts";
import { makePlan } from "../src/engine/plan.ts";
import { Tensor } from "../src/graph/tensor.ts";
import { bundledModels } from "../src/load/names.ts";
import "../src/node.ts";
import { PageNeeds } from "../src/report/page/needs.ts";
import { pageStyle } from "../src/report/page/style.ts";
import { ndarray } from "../src/tensor/array.ts";
import { CONTENT_POLICY } from "../src/web-app/content-policy.ts";
import { firstPaint } from "../src/web-app/first-paint.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
const source = join(root, "src/web-app");

/**
 * @param folder where the page's own files go
 * @param isSite whether it will be a site of its own
 */
export async function buildWeb(folder: string, isSite = false): Promise<void> {
  await build({
    root: source,
    configFile: false,
    base: "./",
    logLevel: "error",
    publicDir: false,
    plugins: [page()],
    resolve: { conditions: ["onnxruntime-web-use-extern-wasm", "browser", "module", "import", "default"] },
    // As a build for use, whatever NODE_ENV says.
    oxc: { jsx: { runtime: "automatic", importSource: "preact", development: false } },
    define: {
      RUNTIME_FOLDER: JSON.stringify(`./${runtimeFolder().name}/`),
      SMALLEST_GRAPH: JSON.stringify([...smallestGraph()]),
      IS_SITE: `${isSite}`,
    },
    build: {
      ...{ outDir: folder, emptyOutDir: true, assetsDir: "", modulePreload: false, chunkSizeWarningLimit: 2000 },
      rolldownOptions: {
        output: together(
          // The first script has both: in the app's file they would wait for all of it.
          ["the-worker", /(web-app\/the-worker\.ts|vite\/preload-helper\.js)$/],
          ["app", /(web-app\/page\.tsx|draw\/bar\.ts)$/],
        ),
      },
    },
    worker: {
      format: "es",
      rolldownOptions: {
        output: together(
          ["starting", /engine\/ort-web-(settings|start)\.ts$/],
          ["library", /web-app\/answering\.ts$/],
          ["look", /analyses\/look\.ts$/],
        ),
      },
    },
  });
}

/** A graph that any runtime compiles. */
function smallestGraph(): Uint8Array {
  const one = Tensor.leaf(ndarray("float32", [1], Float32Array.of(1)));
  return writeOnnx(makePlan([one.add(one)]));
}

/** What is loaded together is one file: the first of these modules, the others, and what they import. */
function together(...files: (readonly [string, RegExp])[]): Rolldown.OutputOptions {
  return { codeSplitting: { groups: files.map(([name, test], i) => ({ name, test, priority: files.length - i })) } };
}

/** The page's content security policy, and what it shows before a model is there, made by the library. */
function page(): Plugin {
  return {
    name: "glassformer-page",
    enforce: "pre",
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

/** Builds the page as a site that needs nothing else. */
export async function buildSite(folder: string): Promise<void> {
  await buildWeb(folder, true);
  const files = readdirSync(folder).filter((name) => statSync(join(folder, name)).isFile());
  addModelsAndRuntime(folder);
  await addServiceWorker(folder, files);
}

/** @param files the page's own */
async function addServiceWorker(folder: string, files: readonly string[]): Promise<void> {
  const contents = files.map((name) => readFileSync(join(folder, name)));
  const runtime = `${runtimeFolder().name}/`;
  const site: typeof SITE = {
    version: createHash("sha256").update(Buffer.concat(contents)).digest("hex").slice(0, 16),
    fixed: [...files.filter(isHashed), ...PROCESSOR_FILES.map((name) => runtime + name)],
    changing: files.filter((name) => !isHashed(name)),
    runtime,
  };
  await build({
    ...{ root: source, configFile: false, logLevel: "error", publicDir: false },
    define: { SITE: JSON.stringify(site) },
    build: {
      ...{ outDir: folder, emptyOutDir: false },
      lib: {
        entry: join(source, "service-worker.ts"),
        formats: ["iife"],
        name: "site",
        fileName: () => "service-worker.js",
      },
    },
  });
}

/** What onnxruntime loads to compute on the processor. */
const PROCESSOR_FILES = ["ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"];

function addModelsAndRuntime(folder: string): void {
  for (const name of bundledModels) {
    cpSync(join(root, "models", name), join(folder, "models", name), { recursive: true });
  }
  const { path, name } = runtimeFolder();
  mkdirSync(join(folder, name), { recursive: true });
  for (const file of readdirSync(path).filter(isRuntimeFile)) cpSync(join(path, file), join(folder, name, file));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv.includes("--site")) await buildSite(join(root, "site"));
  else await buildWeb(join(root, "dist/web"));
}
