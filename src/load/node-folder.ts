/** A local folder as a repository of files. */
import { readdir, readlink, stat } from "node:fs/promises";
import { join } from "node:path";
import { InputError, UnknownNameError } from "../tensor/errors.ts";
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
    if (await isFile(full)) return fileSource(full);
    const target = await linkTarget(full);
    if (target !== undefined) {
      throw new InputError(
        `${full} is a link to ${target}, where there is no file: it was moved or never downloaded.`,
        {
          asked: full,
          found: target,
        },
      );
    }
    throw new UnknownNameError("file", path, await list(), `It was looked for in ${folder}.`);
  };
  return { name, list, open, readText: async (path, options) => readText(await open(path, options), options?.signal) };
}

/**
 * Paths of all files below a folder, sorted; hidden folders and node_modules are passed over. A link to nothing counts as
 * a file: what is wrong with it is told when it is opened.
 */
export async function listFiles(folder: string, below = ""): Promise<string[]> {
  const paths: string[] = [];
  for (const entry of await readdir(join(folder, below), { withFileTypes: true })) {
    const path = below === "" ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory()) {
      if (!entry.name.startsWith(".") && entry.name !== "node_modules") paths.push(...(await listFiles(folder, path)));
    } else if (entry.isFile() || (entry.isSymbolicLink() && (await isFileOrNothing(join(folder, path))))) {
      paths.push(path);
    }
  }
  return below === "" ? paths.sort() : paths;
}

export async function isFile(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() ?? false;
}

async function isFileOrNothing(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() ?? true;
}

/** What a symbolic link says it leads to; undefined for anything else. */
function linkTarget(path: string): Promise<string | undefined> {
  return readlink(path).catch(() => undefined);
}
