/** A repository in memory: for a page whose user has chosen files, and for tests. */
import { ArgumentError, UnknownNameError } from "../tensor/errors.ts";
import { shown } from "../tensor/show.ts";
import { memorySource } from "./bytes.ts";
import type { ModelFiles } from "./files.ts";
import { readText } from "./text-pieces.ts";

/** Files from a record of paths and contents; text is stored as UTF-8. */
export function memoryFiles(name: string, contents: Readonly<Record<string, Uint8Array | string>>): ModelFiles {
  checkContents(name, contents);
  const paths = Object.keys(contents).sort();
  const open: ModelFiles["open"] = async (path) => {
    if (!Object.hasOwn(contents, path))
      throw new UnknownNameError("file", path, paths, `${name} contains ${paths.join(", ") || "nothing"}.`);
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

/** Untyped callers may pass anything. */
function checkContents(name: unknown, contents: unknown): void {
  if (typeof name !== "string" || typeof contents !== "object" || contents === null) {
    throw new ArgumentError(
      `memoryFiles takes a name and an object, { path: content }, not ${shown(name)} and ${shown(contents)}.`,
      { asked: typeof name === "string" ? contents : name },
    );
  }
  for (const [path, content] of Object.entries(contents)) {
    if (typeof content === "string" || content instanceof Uint8Array) continue;
    throw new ArgumentError(`The content of ${shown(path)} must be a Uint8Array or a string, not ${shown(content)}.`, {
      asked: content,
    });
  }
}
