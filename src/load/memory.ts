/** A repository in memory: what a page has after the user chose files, and what tests need. */
import { UnknownNameError } from "../tensor/errors.ts";
import { memorySource } from "./bytes.ts";
import type { ModelFiles } from "./files.ts";
import { readText } from "./text-pieces.ts";

/** Files from a record of path to content; text is stored as UTF-8. */
export function memoryFiles(name: string, contents: Readonly<Record<string, Uint8Array | string>>): ModelFiles {
  const paths = Object.keys(contents).sort();
  const open: ModelFiles["open"] = async (path) => {
    if (!Object.hasOwn(contents, path))
      throw new UnknownNameError("file", path, paths, `${name} holds: ${paths.join(", ") || "nothing"}.`);
    const content = contents[path];
    return memorySource(path, typeof content === "string" ? new TextEncoder().encode(content) : content);
  };
  return {
    name,
    list: async () => [...paths],
    open,
    readText: async (path, options) => readText(await open(path), options?.signal),
  };
}
