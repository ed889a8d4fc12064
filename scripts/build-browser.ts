/**
 * Builds what pages without a bundler need, to dist/browser/: `npm run build` does it. `glassformer.js` is the whole library, for a script tag; it starts
 * `glassformer-worker.js` where models run in a worker. `elements.js` has the custom elements alone, as a module; a picture with axes loads the
 * charting library from a file next to it.
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type BuildOptions, build } from "vite";

const root = fileURLToPath(new URL("../", import.meta.url));
const source = (path: string) => join(root, "src", path);

/** @param folder where the files go */
export async function buildBrowser(folder: string): Promise<void> {
  await built(folder, {
    emptyOutDir: true,
    rollupOptions: {
      input: { elements: source("elements.ts") },
      preserveEntrySignatures: "strict",
      output: { entryFileNames: "[name].js" },
    },
  });
  await built(folder, script("script/script.ts", "glassformer"));
  await built(folder, script("script/worker.ts", "glassformer-worker"));
}

/** One file, which is not a module. What it exports is in the global `glassformer`. */
const script = (entry: string, name: string): BuildOptions => ({
  lib: { entry: source(entry), formats: ["iife"], name: "glassformer", fileName: () => `${name}.js` },
  rollupOptions: { output: { minify: { compress: CLASSES_KEEP_NAMES, mangle: CLASSES_KEEP_NAMES } } },
});

/** What the library prints of an object has its class' name. */
const CLASSES_KEEP_NAMES = { keepNames: { class: true, function: false } };

function built(folder: string, options: BuildOptions): Promise<unknown> {
  return build({
    root,
    configFile: false,
    logLevel: "error",
    publicDir: false,
    base: "./",
    build: {
      outDir: folder,
      emptyOutDir: false,
      assetsDir: "",
      modulePreload: false,
      target: "es2022",
      chunkSizeWarningLimit: 2000,
      ...options,
    },
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildBrowser(join(root, "dist/browser"));
