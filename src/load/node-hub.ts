/** A model on the Hugging Face hub as a repository of files: from the cache if possible, or else from the network. */
import { ArgumentError, HubError, UnknownNameError } from "../tensor/errors.ts";
import { FLAG, OBJECT, TEXT } from "../tensor/kinds.ts";
import { checkOptions, type OptionKinds } from "../tensor/options.ts";
import { shown } from "../tensor/show.ts";
import type { LoadOptions, ModelFiles, Pending } from "./files.ts";
import { partsInside } from "./files.ts";
import type { ListedFile } from "./hub-list.ts";
import { isHubId } from "./names.ts";
import { fileSource } from "./node-file.ts";
import { isFile } from "./node-folder.ts";
import { HubCache } from "./node-hub-cache.ts";
import { downloadBlob } from "./node-hub-download.ts";
import type { HubRepository } from "./node-hub-http.ts";
import { fetchFileInfo, fetchRefs, fetchRevision, fileUrl, HubUnreachable } from "./node-hub-http.ts";
import type { HubSettings } from "./node-hub-settings.ts";
import { checkedHub, hubSettings } from "./node-hub-settings.ts";
import { readText } from "./text-pieces.ts";

export interface HubOptions {
  /** A branch, tag or commit. Default: `main`. */
  readonly revision?: string | undefined;
  /** Overrides the environment, field by field. */
  readonly settings?: Partial<HubSettings> | undefined;
}

const KINDS: OptionKinds<HubOptions> = { revision: TEXT, settings: OBJECT };
const SETTINGS: OptionKinds<HubSettings> = {
  cacheDir: TEXT,
  endpoint: TEXT,
  offline: FLAG,
  token: TEXT,
  limits: OBJECT,
};

/** If the cache can be used, the network is tried less often. */
const TRIES_BESIDE_CACHE = 2;

/** The state of the model: its commit, its files, and why the network cannot be reached, if it cannot. */
interface Resolved {
  readonly commit: string;
  readonly files: readonly ListedFile[];
  readonly cacheOnly: string | undefined;
}

/**
 * The files of `org/name` on the hub. The network is not used until the first call; a file is downloaded when
 * it is first opened, and read from the cache from then on.
 * @throws ArgumentError if the id or the revision is not valid; from the calls, HubError with one sentence for each way in
 * which hub, network or disk can refuse.
 */
export async function hubFiles(id: string, options: HubOptions = {}): Promise<ModelFiles> {
  checkOptions("hubFiles", options, KINDS);
  checkOptions("hubFiles' settings", options.settings ?? {}, SETTINGS as OptionKinds<Partial<HubSettings>>);
  const revision = options.revision ?? "main";
  if (!isHubId(id))
    throw new ArgumentError(`${shown(id)} is not the name of a model on the hub, "org/name".`, { asked: id });
  if (!/^[\w.-]+(\/[\w.-]+)*$/.test(revision) || revision.includes("..")) {
    throw new ArgumentError(`"${revision}" is not a branch, tag or commit.`, { asked: revision });
  }
  const hub = checkedHub({ ...(await hubSettings()), ...options.settings });
  const model: HubRepository = { id, revision };
  const cache = new HubCache(hub.cacheDir, id);

  let known: Resolved | undefined;
  const resolve = async (signal?: AbortSignal): Promise<Resolved> =>
    (known ??= await resolveModel(hub, model, cache, signal));

  const open: ModelFiles["open"] = async (path, load = {}) => {
    load.signal?.throwIfAborted();
    const parts = partsInside(path, id);
    const { commit, files, cacheOnly } = await resolve(load.signal);
    const pointer = cache.snapshot(commit, ...parts);
    if (!(await isFile(pointer))) {
      if (cacheOnly !== undefined) throw notCached(`"${path}" of "${id}"`, hub, cacheOnly);
      const paths = files.map((file) => file.path);
      if (!paths.includes(path)) {
        throw new UnknownNameError("file", path, paths, `It was looked for in ${hub.endpoint}/${id}.`);
      }
      await fetchInto(cache, hub, model, commit, path, load);
    }
    return fileSource(pointer);
  };
  return {
    name: id,
    list: async (load) => (await resolve(load?.signal)).files.map(({ path }) => path),
    open,
    async pending(paths, load) {
      const { commit, files, cacheOnly } = await resolve(load?.signal);
      const found = new Map<string, Pending>();
      for (const { path, size } of cacheOnly === undefined ? files : []) {
        if (!paths.includes(path) || size === undefined) continue;
        if (!(await isFile(cache.snapshot(commit, ...partsInside(path, id)))))
          found.set(path, { done: 0, total: size });
      }
      return found;
    },
    readText: async (path, load) => readText(await open(path, load), load?.signal),
    revisions: {
      list: async (load) => {
        if (!hub.offline) return fetchRefs(hub, model, load?.signal);
        throw new HubError(
          `The revisions of "${id}" are listed by the hub, and the network is not used (HF_HUB_OFFLINE is set): name one with \`revision\`.`,
          { asked: id },
        );
      },
      at: (other) => hubFiles(id, { ...options, revision: other }),
    },
  };
}

async function resolveModel(
  hub: HubSettings,
  model: HubRepository,
  cache: HubCache,
  signal: AbortSignal | undefined,
): Promise<Resolved> {
  let cacheOnly = "HF_HUB_OFFLINE is set";
  const commit = await cache.commitOf(model.revision);
  if (!hub.offline) {
    const tries = commit === undefined ? undefined : TRIES_BESIDE_CACHE;
    try {
      return { ...(await fetchRevision(hub, model, signal, tries)), cacheOnly: undefined };
    } catch (error) {
      if (!(error instanceof HubUnreachable)) throw error;
      cacheOnly = `${hub.endpoint} cannot be reached: ${error.why}`;
    }
  }
  if (commit === undefined) throw notCached(`"${model.id}" (${model.revision})`, hub, cacheOnly);
  const paths = await cache.listSnapshot(commit);
  return { commit, files: paths.map((path) => ({ path, size: undefined })), cacheOnly };
}

function notCached(what: string, hub: HubSettings, why: string): HubError {
  return new HubError(
    `${what} is not in the cache at ${hub.cacheDir}, and the network is not used (${why}): ` +
      "load it once with a connection, or name a local folder with its files.",
    { asked: what, found: why },
  );
}

async function fetchInto(
  cache: HubCache,
  hub: HubSettings,
  model: HubRepository,
  commit: string,
  path: string,
  load: LoadOptions,
): Promise<void> {
  const url = fileUrl(hub, model, commit, path);
  const remote = await fetchFileInfo(hub, model, url, load.signal);
  try {
    await downloadBlob({ ...remote, hub, model, file: path, url, blob: cache.blob(remote.etag) }, load);
    await cache.link(commit, path.split("/"), remote.etag);
    await cache.writeRef(model.revision, commit);
  } catch (error) {
    throw diskError(error, hub, path) ?? error;
  }
}

/** What the operating system says about the cache folder, as a sentence. */
function diskError(error: unknown, hub: HubSettings, path: string): HubError | undefined {
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code === undefined || syscall === undefined) return undefined;
  const fields = { asked: hub.cacheDir, found: code, cause: error };
  if (code === "ENOSPC" || code === "EDQUOT") {
    return new HubError(
      `The disk is full: ${path} does not fit into the cache at ${hub.cacheDir}. Make room and run the same again ` +
        "to resume; or set HF_HUB_CACHE to a folder on another disk.",
      fields,
    );
  }
  return new HubError(
    `${path} cannot be stored in the cache at ${hub.cacheDir} (${code}): set HF_HUB_CACHE to a writable folder.`,
    fields,
  );
}
