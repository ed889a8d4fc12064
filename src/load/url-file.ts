/** A model in one file behind a URL, as a repository of files: only the ranges that are needed are fetched. */
import { UnknownNameError } from "../tensor/errors.ts";
import type { ModelFiles } from "./files.ts";
import { readText } from "./text-pieces.ts";
import { urlSource } from "./url.ts";

/** Whether a URL's path is that of a file that is a model by itself. */
export function isModelUrl(url: string): boolean {
  return URL.canParse(url) && /^https?:\/\//.test(url) && /\.gguf$/i.test(new URL(url).pathname);
}

/** The other parts of a file that was split can be opened by their names. */
export function urlFile(url: string): ModelFiles {
  const at = new URL(url);
  const name = decodeURIComponent(at.pathname.split("/").at(-1)!);
  const open: ModelFiles["open"] = (path, options) => {
    if (!/^[^/\\]+\.gguf$/i.test(path))
      throw new UnknownNameError("file", path, [name], `It was looked for at ${url}.`);
    const there = new URL(at);
    there.pathname = `${at.pathname.slice(0, at.pathname.lastIndexOf("/") + 1)}${encodeURIComponent(path)}`;
    return urlSource(there, { signal: options?.signal });
  };
  return {
    name: url,
    list: async () => [name],
    open: async (path, options) => open(path, options),
    readText: async (path, options) => readText(await open(path, options), options?.signal),
  };
}
