/** A folder behind a URL, such as one on the page's own server, as a repository of files. */
import { ArgumentError, FileFormatError, HubError, UnknownNameError } from "../tensor/errors.ts";
import { shown } from "../tensor/show.ts";
import { type FilesOptions, type ModelFiles, type Pending, partsInside } from "./files.ts";
import { type NetworkLimits, networkLimits } from "./network-limits.ts";
import { readText } from "./text-pieces.ts";
import { hasChanged, openWebFile, storedVersion, type WebFile } from "./web-download.ts";
import { blobSource, request } from "./web-fetch.ts";
import { type Look, namesThere } from "./web-names.ts";
import { pageUrl } from "./web-page.ts";
import { webSettings } from "./web-settings.ts";

/**
 * Files under a URL, absolute or relative to the page: `"/models/solu-1l-novels"`. Each is fetched whole when it is opened, and stored for the
 * next visit, which only asks whether it has changed. HTTP cannot list a folder: its `config.json` may, in a field `files`
 * (`["model.safetensors", "tokenizer.json"]`); without one, the usual names are requested.
 * @param name what to call it. Default: the URL.
 * @throws ArgumentError if it is not a URL; from the calls, HubError if the server or the network refuses
 */
export function urlFiles(url: string | URL, name: string = String(url)): ModelFiles {
  if (!URL.canParse(url, pageUrl())) throw new ArgumentError(`${shown(String(url))} is not a URL.`, { asked: url });
  const base = new URL(url, pageUrl());
  if (!base.pathname.endsWith("/")) base.pathname += "/";
  return new UrlFolder(base, name).files(undefined);
}

/** A file behind a URL that is a model by itself. Other parts of a file that was split can be opened by their names. */
export function urlModelFile(url: string): ModelFiles {
  const [, path] = /([^/]*)$/.exec(new URL(url).pathname)!;
  return new UrlFolder(new URL(".", url), url, url).files([decodeURIComponent(path)]);
}

/** The most bytes of a configuration; the longest have some thousands. */
const LONGEST_CONFIG = 16_000_000;

class UrlFolder {
  readonly #base: URL;
  readonly #name: string;
  readonly #model: string;
  readonly #cache: string | false = webSettings().cache;
  readonly #limits: NetworkLimits = networkLimits(webSettings().limits);
  /** What is known of files' lengths. */
  readonly #sizes = new Map<string, number>();
  readonly #opened = new Map<string, Blob>();
  /** Of files that are stored and will be opened: whether they have changed since. */
  readonly #changed = new Map<string, Promise<boolean>>();

  constructor(base: URL, name: string, model: string = base.href) {
    this.#base = base;
    this.#name = name;
    this.#model = model;
  }

  /** @param names the files in it, if they are known */
  files(names: readonly string[] | undefined): ModelFiles {
    let listed: Promise<readonly string[]> | undefined = names && Promise.resolve(names);
    const list = async (load: FilesOptions = {}) => {
      listed ??= namesThere(this.#look(load), this.#name);
      const found = await listed.catch((error) => {
        listed = undefined;
        throw error;
      });
      return [...found].sort();
    };
    const open: ModelFiles["open"] = async (path, load = {}) => {
      const blob = await this.#open(path, load);
      if (blob) return blobSource(path, blob);
      const others = (await list(load)).filter((other) => other !== path);
      throw new UnknownNameError("file", path, others, `It was looked for in ${this.#base.href}.`);
    };
    return {
      ...{ name: this.#name, list, open },
      readText: async (path, load) => readText(await open(path, load), load?.signal),
      pending: (paths, load = {}) => this.#pending(paths, load),
    };
  }

  #file(path: string): WebFile {
    const url = new URL(partsInside(path, this.#name).map(encodeURIComponent).join("/"), this.#base);
    return {
      ...{ url, of: this.#name, model: this.#model, path, limits: this.#limits, cache: this.#cache },
      // A single-page app's server answers unknown paths with its page.
      isMissing: ({ status, headers }) => status === 404 || !!headers.get("content-type")?.startsWith("text/html"),
      refusal: ({ status, statusText }) =>
        new HubError(`${url.href} answered with ${status} ${statusText}.`.replace(" .", "."), {
          asked: url.href,
          found: status,
        }),
    };
  }

  /** A file is the same as long as this repository is used. */
  async #open(path: string, load: FilesOptions): Promise<Blob | undefined> {
    const changed = this.#changed.get(path);
    this.#changed.delete(path);
    const opened = this.#opened.get(path) ?? (await openWebFile({ ...this.#file(path), changed }, load));
    if (opened) this.#opened.set(path, opened);
    return opened;
  }

  #look(load: FilesOptions): Look {
    return {
      text: async (path) => {
        const blob = await this.#open(path, { signal: load.signal, note: load.note });
        if (blob && blob.size > LONGEST_CONFIG) {
          throw new FileFormatError(`${this.#name}/${path} has ${blob.size} bytes: that is not a configuration.`, {
            asked: path,
            found: blob.size,
          });
        }
        return blob && readText(blobSource(path, blob), load.signal);
      },
      isThere: async (path) => {
        const file = this.#file(path);
        if ((await storedVersion(file))?.record.complete) return true;
        return this.#ask(file, load.signal);
      },
    };
  }

  /** Whether a file exists; its length is remembered. */
  async #ask({ url, limits, isMissing, refusal, path }: WebFile, signal: AbortSignal | undefined): Promise<boolean> {
    return request({ url, method: "HEAD", limits }, signal, (response) => {
      if (isMissing(response)) return false;
      if (!response.ok) throw refusal(response);
      const { headers } = response;
      const length = headers.get("content-encoding") ? null : headers.get("content-length");
      if (length !== null) this.#sizes.set(path, Number(length));
      return true;
    });
  }

  async #pending(paths: readonly string[], { signal }: FilesOptions): Promise<ReadonlyMap<string, Pending>> {
    const found = await Promise.all(
      paths.map(async (path): Promise<[string, Pending][]> => {
        const file = this.#file(path);
        const there = await storedVersion(file);
        if (this.#opened.has(path)) return [];
        if (there?.record.complete) {
          // One after the other, the server's answers would be waited for one after the other.
          const changed = hasChanged(file, there.record, { signal });
          changed.catch(() => {});
          this.#changed.set(path, changed);
          return [];
        }
        if (!this.#sizes.has(path)) await this.#ask(file, signal);
        const total = there?.record.size ?? this.#sizes.get(path);
        return total === undefined ? [] : [[path, { done: Math.min(there?.blob.size ?? 0, total), total }]];
      }),
    );
    return new Map(found.flat());
  }
}
