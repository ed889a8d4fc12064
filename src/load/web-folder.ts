/** A folder behind a URL, such as one on the page's own server, as a repository of files. */
import { ArgumentError, HubError, UnknownNameError } from "../tensor/errors.ts";
import { shown } from "../tensor/show.ts";
import { type LoadOptions, type ModelFiles, partsInside } from "./files.ts";
import { networkLimits } from "./network-limits.ts";
import { discard } from "./request.ts";
import { readText } from "./text-pieces.ts";
import { blobSource, readBody, request } from "./web-fetch.ts";

/** HTTP cannot list a folder: these names are requested, and those that exist are the list. */
const KNOWN_NAMES = [
  "config.json",
  "model.safetensors",
  "model.safetensors.index.json",
  "model.pth",
  "model_final.pth",
  "pytorch_model.bin",
  "pytorch_model.bin.index.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "added_tokens.json",
  "adapter_config.json",
  "adapter_model.safetensors",
  "vocab.json",
  "merges.txt",
];

/**
 * Files under a URL, absolute or relative to the page: `"/models/solu-1l-novels"`. Each is fetched whole when opened;
 * caching is left to the server's headers.
 * @param name what to call it. Default: the URL.
 */
export function urlFiles(url: string | URL, name: string = String(url)): ModelFiles {
  if (!URL.canParse(url, pageUrl())) throw new ArgumentError(`${shown(String(url))} is not a URL.`, { asked: url });
  const base = new URL(url, pageUrl());
  const limits = networkLimits();
  if (!base.pathname.endsWith("/")) base.pathname += "/";

  /** What `read` makes of the answer for a file; undefined if there is no such file. */
  const fetchFile = async <T>(
    path: string,
    method: "GET" | "HEAD",
    signal: AbortSignal | undefined,
    read: (response: Response) => Promise<T>,
  ): Promise<T | undefined> => {
    const at = new URL(partsInside(path, name).map(encodeURIComponent).join("/"), base);
    return request({ url: at, method, limits }, signal, async (response) => {
      // A single-page app's server answers unknown paths with its page.
      const missing = response.status === 404 || response.headers.get("content-type")?.startsWith("text/html");
      if (response.ok && !missing) return read(response);
      await discard(response);
      if (missing) return undefined;
      throw new HubError(`${at.href} answered with ${response.status} ${response.statusText}.`.replace(" .", "."), {
        asked: at.href,
        found: response.status,
      });
    });
  };
  let listed: Promise<string[]> | undefined;
  const find = async ({ signal }: LoadOptions) => {
    const there = await Promise.all(KNOWN_NAMES.map((path) => fetchFile(path, "HEAD", signal, async () => true)));
    return KNOWN_NAMES.filter((_, i) => there[i] !== undefined);
  };
  const list = async (options: LoadOptions = {}) => {
    listed ??= find(options);
    return [
      ...(await listed.catch((error) => {
        listed = undefined;
        throw error;
      })),
    ];
  };
  const open: ModelFiles["open"] = async (path, options = {}) => {
    const read = (response: Response) => readBody(response, path, undefined, limits, options);
    const blob = await fetchFile(path, "GET", options.signal, read);
    if (!blob) {
      throw new UnknownNameError("file", path, await list(options), `It was looked for in ${base.href}.`);
    }
    return blobSource(path, blob);
  };
  return { name, list, open, readText: async (path, options) => readText(await open(path, options), options?.signal) };
}

/** What relative URLs are relative to: the page, or the worker's script. */
export function pageUrl(): string | undefined {
  return globalThis.document?.baseURI ?? globalThis.location?.href;
}
