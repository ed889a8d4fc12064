/** The folders that the page's files come from. */
import { readFileSync } from "node:fs";
import { stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { GlassformerError } from "../tensor/errors.ts";

/** Where the files are. */
export interface WebFolders {
  /** The page's own. */
  readonly page: string;
  /** The bundled models. */
  readonly models: string;
  readonly runtime: RuntimeFolder;
}

/** onnxruntime's WebAssembly. */
export interface RuntimeFolder {
  readonly path: string;
  /** Its name in the page's site, with the version: what has this name never changes. */
  readonly name: string;
}

/** The folders of this package. @throws GlassformerError if the page has not been built */
export async function webFolders(): Promise<WebFolders> {
  const root = fileURLToPath(new URL("../../", import.meta.url));
  const folders = { page: join(root, "dist", "web"), models: join(root, "models"), runtime: runtimeFolder() };
  const built = await stat(join(folders.page, "index.html")).catch(() => undefined);
  if (built) return folders;
  throw new GlassformerError(`The page is not in ${folders.page}: build it with npm run build.`, {
    asked: folders.page,
  });
}

export function runtimeFolder(): RuntimeFolder {
  const path = dirname(createRequire(import.meta.url).resolve("onnxruntime-web"));
  const { version } = JSON.parse(readFileSync(join(path, "../package.json"), "utf8"));
  return { path, name: `onnxruntime-${version}` };
}

/** Whether a file of onnxruntime's folder is one that pages load. */
export const isRuntimeFile = (name: string): boolean => /^ort-wasm-[\w.-]+\.(mjs|wasm)$/.test(name);

/** Whether a file's name has a hash in it: it never means other bytes. */
export const isHashed = (name: string): boolean => /-[\w-]{8}\.\w+$/.test(name);
