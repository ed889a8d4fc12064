/** A local folder as a repository of files. */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { UnknownNameError } from "../tensor/errors.ts";
import type { ModelFiles } from "./files.ts";
import { partsInside } from "./files.ts";
import { fileSource } from "./node-file.ts";
import { readText } from "./text-pieces.ts";

/** @param name what to call it; the folder's path if not given. */
export function folderFiles(folder: string, name: string = folder): ModelFiles {
  const list = () => listFiles(folder);
  const open: ModelFiles["open"] = async (path, options) => {
    options?.signal?.throwIfAborted();
    const full = join(folder, ...partsInside(path, name));
    if (!(await isFile(full)))
      throw new UnknownNameError("file", path, await list(), `It was looked for in ${folder}.`);
    return fileSource(full);
  };
  return { name, list, open, readText: async (path, options) => readText(await open(path, options), options?.signal) };
}

/** Paths of all files below a folder, sorted; hidden folders and node_modules are passed over. */
export async function listFiles(folder: string, below = ""): Promise<string[]> {
  const paths: string[] = [];
  for (const entry of await readdir(join(folder, below), { withFileTypes: true })) {
    const path = below === "" ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory()) {
      if (!entry.name.startsWith(".") && entry.name !== "node_modules") paths.push(...(await listFiles(folder, path)));
    } else if (entry.isFile() || (entry.isSymbolicLink() && (await isFile(join(folder, path))))) {
      paths.push(path);
    }
  }
  return below === "" ? paths.sort() : paths;
}

export async function isFile(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() ?? false;
}
