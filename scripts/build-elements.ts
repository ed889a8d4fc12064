/**
 * Builds the custom elements for pages without a bundler, to dist/browser/: `npm run build` does it. `elements.js` is all that a page needs;
 * a picture with axes loads the charting library from a file next to it.
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const root = fileURLToPath(new URL("../", import.meta.url));

/** @param folder where the files go */
export async function buildElements(folder: string): Promise<void> {
  await build({
    root,
    configFile: false,
    logLevel: "error",
    publicDir: false,
    base: "./",
    build: {
      outDir: folder,
      emptyOutDir: true,
      assetsDir: "",
      modulePreload: false,
      target: "es2022",
      rollupOptions: {
        // Node draws charts with it; a page has a document.
        external: ["linkedom/worker"],
        input: { elements: join(root, "src/elements.ts") },
        preserveEntrySignatures: "strict",
        output: { entryFileNames: "[name].js" },
      },
    },
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildElements(join(root, "dist/browser"));
