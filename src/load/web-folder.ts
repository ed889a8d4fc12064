/** A folder behind a URL, such as one that the page's own server holds, as a repository of files. */
import { HubError, UnknownNameError } from "../tensor/errors.ts";
import { type LoadOptions, type ModelFiles, partsInside } from "./files.ts";
import { readText } from "./text-pieces.ts";
import { blobSource, readBody, request } from "./web-fetch.ts";

/** HTTP has no listing of a folder: these names are asked for, and those that are there are the list. */
const KNOWN_NAMES = [
  "config.json",
  "model.safetensors",
  "model.safetensors.index.json",
  "model_final.pth",
  "pytorch_model.bin",
  "pytorch_model.bin.index.json",
  "tokenizer.json",
  "tokenizer_config.json",
];

/**
 * Files below a URL, absolute or relative to the page: `"/models/solu-1l-novels"`. Each is fetched whole when opened;
 * caching is left to the server's headers.
 * @param name what to call it; the URL if not given.
 */
export function urlFiles(url: string | URL, name: string = String(url)): ModelFiles {
  const base = new URL(url, pageUrl());
  if (!base.pathname.endsWith("/")) base.pathname += "/";

  const fetchFile = async (path: string, method: "GET" | "HEAD", signal: AbortSignal | undefined) => {
    const at = new URL(partsInside(path, name).map(encodeURIComponent).join("/"), base);
    const response = await request(at, { method, signal: signal ?? null });
    // A server of a single-page app answers unknown paths with its page.
    const missing = response.status === 404 || response.headers.get("content-type")?.startsWith("text/html");
    if (missing) return undefined;
    if (response.ok) return response;
    throw new HubError(`${at.href} was answered with ${response.status} ${response.statusText}.`.replace(" .", "."), {
      asked: at.href,
      found: response.status,
    });
  };
  let listed: Promise<string[]> | undefined;
  const find = async ({ signal }: LoadOptions) => {
    const there = await Promise.all(KNOWN_NAMES.map((path) => fetchFile(path, "HEAD", signal)));
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
    const response = await fetchFile(path, "GET", options.signal);
    if (!response) {
      throw new UnknownNameError("file", path, await list(options), `It was looked for in ${base.href}.`);
    }
    return blobSource(path, await readBody(response, path, undefined, options));
  };
  return { name, list, open, readText: async (path, options) => readText(await open(path, options), options?.signal) };
}

/** What relative URLs are relative to: the page, or the worker's script. */
function pageUrl(): string | undefined {
  return globalThis.document?.baseURI ?? globalThis.location?.href;
}
