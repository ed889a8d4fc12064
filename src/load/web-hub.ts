/**
 * A model on the Hugging Face hub, for a page: files are fetched whole and kept in the browser's Cache Storage by commit, so
 * that each is downloaded once. Without a connection, the cached files are used.
 */
import { ArgumentError, HubError, UnknownNameError } from "../tensor/errors.ts";
import { either, OBJECT, oneOf, TEXT } from "../tensor/kinds.ts";
import { checkOptions, type OptionKinds } from "../tensor/options.ts";
import { shown } from "../tensor/show.ts";
import { parseJsonObject } from "./bytes.ts";
import { type LoadOptions, type ModelFiles, partsInside } from "./files.ts";
import { LIST_PACE, listedPaths, listedRefs, MOST_LIST_BYTES } from "./hub-list.ts";
import { isHubId } from "./names.ts";
import { type NetworkLimits, networkLimits } from "./network-limits.ts";
import { bytesOf, discard, TooLong } from "./request.ts";
import { readText } from "./text-pieces.ts";
import { webCache } from "./web-cache.ts";
import { blobSource, readBody, request, Unreachable } from "./web-fetch.ts";

/** A page's equivalent of environment variables. */
export interface WebHubSettings {
  /** The hub's address; elsewhere `HF_ENDPOINT`. */
  readonly endpoint: string;
  /** Sent to the hub only; elsewhere `HF_TOKEN`. Users of the page can see it. */
  readonly token?: string | undefined;
  /** The name of the Cache Storage that keeps files, or `false` to keep none. */
  readonly cache: string | false;
  /** How long to wait for the hub and how often to retry, if not as usual. */
  readonly limits?: Partial<NetworkLimits> | undefined;
}

export interface WebHubOptions {
  /** A branch, tag or commit. Default: `main`. */
  readonly revision?: string | undefined;
  /** Overrides the settings of `setHub`, field by field. */
  readonly settings?: Partial<WebHubSettings> | undefined;
}

const KINDS: OptionKinds<WebHubOptions> = { revision: TEXT, settings: OBJECT };
const SETTINGS: OptionKinds<WebHubSettings> = {
  endpoint: TEXT,
  token: TEXT,
  cache: either(TEXT, oneOf([false])),
  limits: OBJECT,
};
const checkSettings = (of: string, settings: Partial<WebHubSettings>) =>
  checkOptions(of, settings, SETTINGS as OptionKinds<Partial<WebHubSettings>>);

let defaults: WebHubSettings = { endpoint: "https://huggingface.co", cache: "glassformer" };

/** Where models come from, from now on, field by field: `setHub({ endpoint: "https://hub.example.org" })`. */
export function setHub(settings: Partial<WebHubSettings>): void {
  checkSettings("setHub", settings);
  defaults = { ...defaults, ...settings };
}

/** A revision of a model: its commit, and its files with their sizes in bytes. */
interface Revision {
  readonly commit: string;
  readonly sizes: ReadonlyMap<string, number | undefined>;
}

/**
 * The files of `org/name` on the hub. The network is not used until the first call. A file whose download is
 * aborted or interrupted is not kept; a file that the browser refuses to keep (because its storage is full) is still read.
 * @throws ArgumentError if the id is not valid; from the calls, HubError if the hub or the network refuses.
 */
export async function hubFiles(id: string, options: WebHubOptions = {}): Promise<ModelFiles> {
  checkOptions("hubFiles", options, KINDS);
  checkSettings("hubFiles' settings", options.settings ?? {});
  if (!isHubId(id)) {
    throw new ArgumentError(`${shown(id)} is not the name of a model on the hub, "org/name".`, { asked: id });
  }
  const hub = { ...defaults, ...options.settings };
  const endpoint = hub.endpoint.replace(/\/+$/, "");
  const revision = options.revision ?? "main";
  const limits = networkLimits(hub.limits);
  if (!URL.canParse(endpoint) || !/^https?:$/.test(new URL(endpoint).protocol)) {
    throw new ArgumentError(`The hub's endpoint is ${shown(hub.endpoint)}, which is not an http or https URL.`, {
      asked: hub.endpoint,
    });
  }
  const get = async <T>(url: URL, { signal }: LoadOptions, read: (response: Response) => Promise<T>): Promise<T> => {
    const headers: Record<string, string> = hub.token === undefined ? {} : { authorization: `Bearer ${hub.token}` };
    return request({ url, headers, limits }, signal, async (response) => {
      if (response.ok) return read(response);
      await discard(response);
      throw refusal(id, revision, endpoint, response);
    });
  };
  const readList = (url: URL, signal: AbortSignal | undefined) => (response: Response) =>
    bytesOf(response, MOST_LIST_BYTES, { ...limits, ...LIST_PACE }, signal).catch((error) => {
      if (!(error instanceof TooLong)) throw error;
      throw new HubError(`${url.href} answered with ${error.message}, too long for a list of files.`, {
        asked: url.href,
      });
    });

  const cache = webCache(hub.cache);
  let known: Revision | undefined;
  const resolve = async (load: LoadOptions = {}): Promise<Revision> => {
    if (known) return known;
    const url = new URL(`${endpoint}/api/models/${id}/revision/${encodeURIComponent(revision)}?blobs=true`);
    try {
      const answer = new Blob([await get(url, load, readList(url, load.signal))]);
      known = readRevision(await answer.text(), url);
      await cache.put(url, answer);
    } catch (error) {
      // No connection: the revision as it was last seen.
      const seen = error instanceof Unreachable ? await cache.get(url) : undefined;
      if (!seen) throw error;
      known = readRevision(await seen.text(), url);
    }
    return known;
  };
  const open: ModelFiles["open"] = async (path, load = {}) => {
    load.signal?.throwIfAborted();
    const parts = partsInside(path, id);
    const { commit, sizes } = await resolve(load);
    if (!sizes.has(path)) {
      throw new UnknownNameError("file", path, [...sizes.keys()], `It was looked for in ${endpoint}/${id}.`);
    }
    const url = new URL(`${endpoint}/${id}/resolve/${commit}/${parts.map(encodeURIComponent).join("/")}`);
    const cached = await cache.get(url);
    if (cached) return blobSource(path, cached);
    const blob = await get(url, load, (response) => readBody(response, path, sizes.get(path), limits, load));
    await cache.put(url, blob);
    return blobSource(path, blob);
  };
  return {
    name: id,
    list: async (load) => [...(await resolve(load)).sizes.keys()].sort(),
    open,
    readText: async (path, load) => readText(await open(path, load), load?.signal),
    revisions: {
      list: async (load = {}) => {
        const url = new URL(`${endpoint}/api/models/${id}/refs`);
        const text = new TextDecoder().decode(await get(url, load, readList(url, load.signal)));
        return listedRefs(parseJsonObject(text, `The answer of ${url.href}`), url.href);
      },
      at: (other) => hubFiles(id, { ...options, revision: other }),
    },
  };
}

/** @throws HubError if the answer is not a hub's. */
function readRevision(text: string, url: URL): Revision {
  const { sha, siblings } = parseJsonObject(text, `The answer of ${url.href}`);
  if (typeof sha !== "string" || !/^[0-9a-f]{40}$/.test(sha) || !Array.isArray(siblings)) {
    throw new HubError(`${url.href} answered without a commit and a list of files; is it a Hugging Face hub?`, {
      asked: url.href,
      found: text.slice(0, 200),
    });
  }
  return { commit: sha, sizes: new Map(listedPaths(siblings, url.href).map(({ path, size }) => [path, size])) };
}

function refusal(id: string, revision: string, endpoint: string, response: Response): HubError {
  const { status } = response;
  const code = response.headers.get("x-error-code");
  const fields = { asked: id, found: status };
  if (code === "RevisionNotFound") {
    return new HubError(`"${id}" has no revision "${revision}"; see ${endpoint}/${id}.`, fields);
  }
  if (code === "GatedRepo" || status === 403) {
    return new HubError(
      `"${id}" is gated (${status}): accept its terms at ${endpoint}/${id}, then pass a token that can read it to setHub({ token }).`,
      fields,
    );
  }
  if (status === 401 || status === 404) {
    return new HubError(
      `There is no model "${id}" on ${endpoint} (${status}): check the spelling of "org/name"; if it is private, pass a token that can read it to setHub({ token }).`,
      fields,
    );
  }
  return new HubError(`${endpoint} answered ${status} to a request for "${id}" at revision "${revision}".`, fields);
}
