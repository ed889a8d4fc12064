/**
 * A model on the Hugging Face hub, for a page: files are fetched whole and stored by commit, so that each is downloaded once.
 * Without a connection, the stored files are used.
 */
import { ArgumentError, HubError, UnknownNameError } from "../tensor/errors.ts";
import { OBJECT, TEXT } from "../tensor/kinds.ts";
import { checkOptions, type OptionKinds } from "../tensor/options.ts";
import { shown } from "../tensor/show.ts";
import { parseJsonObject } from "./bytes.ts";
import { type FilesOptions, type ModelFiles, type Pending, partsInside } from "./files.ts";
import { LIST_PACE, listedPaths, listedRefs, MOST_LIST_BYTES } from "./hub-list.ts";
import { isHubId } from "./names.ts";
import { type NetworkLimits, networkLimits } from "./network-limits.ts";
import { bytesOf, discard, TooLong } from "./request.ts";
import { readText } from "./text-pieces.ts";
import { openWebFile, storedVersion, storeWebFile, type WebFile } from "./web-download.ts";
import { blobSource, request, Unreachable } from "./web-fetch.ts";
import { checkSettings, type WebHubSettings, webSettings } from "./web-settings.ts";

/** Which revision of a model on the hub a page opens, and how. */
export interface WebHubOptions {
  /** A branch, tag or commit. Default: `main`. */
  readonly revision?: string | undefined;
  /** Overrides the settings of `setHub`, field by field. */
  readonly settings?: Partial<WebHubSettings> | undefined;
}

const KINDS: OptionKinds<WebHubOptions> = { revision: TEXT, settings: OBJECT };

/** A revision of a model: its commit, and its files with their sizes in bytes. */
interface Revision {
  readonly commit: string;
  readonly sizes: ReadonlyMap<string, number | undefined>;
}

/**
 * The files of `org/name` on the hub. The network is not used until the first call. An interrupted download continues where it stopped;
 * a file for which the browser has no room is read from memory, with a note.
 * @throws ArgumentError if the id is not valid; from the calls, HubError if the hub or the network refuses.
 */
export async function hubFiles(id: string, options: WebHubOptions = {}): Promise<ModelFiles> {
  checkOptions("hubFiles", options, KINDS);
  checkSettings("hubFiles' settings", options.settings ?? {});
  if (!isHubId(id)) {
    throw new ArgumentError(`${shown(id)} is not the name of a model on the hub, "org/name".`, { asked: id });
  }
  return new HubRevision(id, options).files();
}

class HubRevision {
  readonly #id: string;
  readonly #options: WebHubOptions;
  readonly #hub: WebHubSettings;
  readonly #endpoint: string;
  readonly #revision: string;
  readonly #limits: NetworkLimits;
  #known: Revision | undefined;

  constructor(id: string, options: WebHubOptions) {
    this.#id = id;
    this.#options = options;
    this.#hub = { ...webSettings(), ...options.settings };
    this.#endpoint = this.#hub.endpoint.replace(/\/+$/, "");
    this.#revision = options.revision ?? "main";
    this.#limits = networkLimits(this.#hub.limits);
    if (!URL.canParse(this.#endpoint) || !/^https?:$/.test(new URL(this.#endpoint).protocol)) {
      throw new ArgumentError(
        `The hub's endpoint is ${shown(this.#hub.endpoint)}, which is not an http or https URL.`,
        { asked: this.#hub.endpoint },
      );
    }
  }

  files(): ModelFiles {
    const open: ModelFiles["open"] = async (path, load = {}) => {
      load.signal?.throwIfAborted();
      partsInside(path, this.#id);
      const revision = await this.#resolve(load);
      if (!revision.sizes.has(path)) {
        const where = `It was looked for in ${this.#endpoint}/${this.#id}.`;
        throw new UnknownNameError("file", path, [...revision.sizes.keys()], where);
      }
      const file = this.#file(path, revision);
      const blob = await openWebFile(file, load);
      return blobSource(path, blob!);
    };
    return {
      ...{ name: this.#id, open },
      list: async (load = {}) => [...(await this.#resolve(load)).sizes.keys()].sort(),
      readText: async (path, load) => readText(await open(path, load), load?.signal),
      pending: (paths, load = {}) => this.#pending(paths, load),
      revisions: {
        list: async (load = {}) => {
          const url = new URL(`${this.#endpoint}/api/models/${this.#id}/refs`);
          const text = new TextDecoder().decode(await this.#list(url, load.signal));
          return listedRefs(parseJsonObject(text, `The answer of ${url.href}`), url.href);
        },
        at: (other) => hubFiles(this.#id, { ...this.#options, revision: other }),
      },
    };
  }

  #file(path: string, { commit, sizes }: Revision): WebFile {
    const parts = partsInside(path, this.#id).map(encodeURIComponent).join("/");
    const url = new URL(`${this.#endpoint}/${this.#id}/resolve/${commit}/${parts}`);
    return { ...this.#asked(url), path, revision: commit, size: sizes.get(path) };
  }

  /** What every request to the hub has. */
  #asked(url: URL) {
    const { token, cache } = this.#hub;
    const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
    return {
      ...{ url, headers, cache, of: this.#id, model: this.#id, limits: this.#limits },
      isMissing: () => false,
      refusal: (response: Response) => refusal(this.#id, this.#revision, this.#endpoint, response),
    };
  }

  /** An answer of the hub's that lists something. */
  async #list(url: URL, signal: AbortSignal | undefined): Promise<Uint8Array<ArrayBuffer>> {
    const { headers, limits, refusal } = this.#asked(url);
    return request({ url, headers, limits }, signal, async (response) => {
      if (!response.ok) {
        await discard(response);
        throw refusal(response);
      }
      return bytesOf(response, MOST_LIST_BYTES, { ...limits, ...LIST_PACE }, signal).catch((error) => {
        if (!(error instanceof TooLong)) throw error;
        throw new HubError(`${url.href} answered with ${error.message}, too long for a list of files.`, {
          asked: url.href,
        });
      });
    });
  }

  async #resolve({ signal, note }: FilesOptions): Promise<Revision> {
    if (this.#known) return this.#known;
    const revision = encodeURIComponent(this.#revision);
    const url = new URL(`${this.#endpoint}/api/models/${this.#id}/revision/${revision}?blobs=true`);
    const file = { ...this.#asked(url), path: `(the files of ${this.#revision})` };
    try {
      const answer = new Blob([await this.#list(url, signal)]);
      this.#known = readRevision(await answer.text(), url);
      await storeWebFile({ ...file, revision: this.#known.commit }, answer);
    } catch (error) {
      // No connection: the revision as it was last seen.
      const seen = error instanceof Unreachable ? await storedVersion(file) : undefined;
      if (!seen?.record.complete) throw error;
      this.#known = readRevision(await seen.blob.text(), url);
      note?.(
        `${this.#endpoint} cannot be reached: ${this.#id} is read as it was stored on ${seen.record.date.slice(0, 10)}.`,
      );
    }
    return this.#known;
  }

  async #pending(paths: readonly string[], load: FilesOptions): Promise<ReadonlyMap<string, Pending>> {
    const revision = await this.#resolve(load);
    const found = new Map<string, Pending>();
    for (const path of paths) {
      const total = revision.sizes.get(path);
      if (total === undefined) continue;
      const there = await storedVersion(this.#file(path, revision));
      if (!there?.record.complete) found.set(path, { done: Math.min(there?.blob.size ?? 0, total), total });
    }
    return found;
  }
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
