/** A local folder as a repository of files. */
import type { Dirent } from "node:fs";
import { readdir, readlink, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { ArgumentError, InputError, UnknownNameError } from "../tensor/errors.ts";
import { shown } from "../tensor/show.ts";
import type { ModelFiles } from "./files.ts";
import { partsInside } from "./files.ts";
import { fileSource, unreadable } from "./node-file.ts";
import { readText } from "./text-pieces.ts";

/** The most files: a model has fewer, but `/` and `/proc` have more. */
const MOST_FILES = 100_000;

/** The files of a local folder, as a model is opened from. @param name what to call it. Default: the folder's path. */
export function folderFiles(folder: string, name: string = folder): ModelFiles {
  if (typeof folder !== "string" || typeof name !== "string") {
    const wrong = typeof folder === "string" ? name : folder;
    throw new ArgumentError(`folderFiles takes a folder's path, and a name for it, not ${shown(wrong)}.`, {
      asked: wrong,
    });
  }
  const list = () => listFiles(folder);
  const open: ModelFiles["open"] = async (path, options) => {
    options?.signal?.throwIfAborted();
    const full = join(folder, ...partsInside(path, name));
    if (await isFile(full)) return fileSource(full);
    const target = await linkTarget(full);
    if (target !== undefined) {
      throw new InputError(`${full} is a link to ${target}, but there is no file: it was moved or never downloaded.`, {
        asked: full,
        found: target,
      });
    }
    throw new UnknownNameError("file", path, await list(), `It was looked for in ${folder}.`);
  };
  return { name, list, open, readText: async (path, options) => readText(await open(path, options), options?.signal) };
}

/**
 * A file that is a model by itself, as a repository that lists it and llama2.c's tokenizer beside it; its other parts, if it has some,
 * can be opened.
 */
export function oneFile(path: string): ModelFiles {
  const folder = dirname(path);
  const list = async () => {
    const tokenizer = path.endsWith(".bin") && (await isFile(join(folder, "tokenizer.bin")));
    return tokenizer ? [basename(path), "tokenizer.bin"] : [basename(path)];
  };
  return { ...folderFiles(folder, path), list };
}

/**
 * The paths of all files in a folder and below, sorted; hidden folders and node_modules are skipped. A dangling link counts as
 * a file: the error comes when it is opened.
 */
export async function listFiles(folder: string, below = ""): Promise<string[]> {
  const paths: string[] = [];
  for (const entry of await entriesOf(folder, below)) {
    const path = below === "" ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory()) {
      if (!entry.name.startsWith(".") && entry.name !== "node_modules") paths.push(...(await listFiles(folder, path)));
    } else if (entry.isFile() || (entry.isSymbolicLink() && (await isFileOrNothing(join(folder, path))))) {
      paths.push(path);
    }
    if (paths.length > MOST_FILES) {
      throw new InputError(`${folder} has more than ${MOST_FILES} files: name the model's own folder.`, {
        asked: folder,
      });
    }
  }
  return below === "" ? paths.sort() : paths;
}

/** @throws InputError if the folder itself is not readable; unreadable folders inside it are skipped */
function entriesOf(folder: string, below: string): Promise<Dirent[]> {
  return readdir(join(folder, below), { withFileTypes: true }).catch(async (cause) => {
    if (below !== "") return [];
    throw await unreadable(folder, folder, cause);
  });
}

export async function isFile(path: string): Promise<boolean> {
  const stats = await stat(path).catch(() => undefined);
  return stats?.isFile() ?? false;
}

async function isFileOrNothing(path: string): Promise<boolean> {
  const stats = await stat(path).catch(() => undefined);
  return stats?.isFile() ?? true;
}

/** The target of a symbolic link; undefined for anything else. */
function linkTarget(path: string): Promise<string | undefined> {
  return readlink(path).catch(() => undefined);
}
