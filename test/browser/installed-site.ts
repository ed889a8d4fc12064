/** A site that uses the package as anybody's would: installed, and bundled by Vite with nothing configured. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "vite";
import { type Installed, installed } from "../repository/installed.ts";

export interface Bundled extends Installed {
  /** The folder with what Vite built: `NAME.js` and its assets. */
  readonly dist: string;
}

/** Builds a page of `pages/`, with the package's names in place of the paths that it imports from. @param others what it also imports */
export async function bundled(name: string, others: readonly string[] = []): Promise<Bundled> {
  const there = await installed();
  const source = join(there.project, "src");
  mkdirSync(join(source, "pages"), { recursive: true });
  for (const file of [`pages/${name}.ts`, ...others]) {
    const script = readFileSync(new URL(file, import.meta.url), "utf8");
    const own = script.replace(`"../../../src/web.ts"`, `"glassformer"`);
    writeFileSync(join(source, file), own.replace(`"../../../src/worker.ts"`, `"glassformer/worker"`));
  }
  await build({
    root: there.project,
    configFile: false,
    logLevel: "warn",
    build: {
      chunkSizeWarningLimit: 2000,
      rollupOptions: { input: join(source, "pages", `${name}.ts`), output: { entryFileNames: `${name}.js` } },
    },
  });
  return { ...there, dist: join(there.project, "dist") };
}
