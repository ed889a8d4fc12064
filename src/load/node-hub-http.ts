/**
 * The hub's HTTP interface: which commit a revision is and what files it has, each file's checksum, its bytes.
 * Redirects are followed by hand: large files are on other hosts, and the token must not be sent there.
 */
import { HubError } from "../tensor/errors.ts";
import { shown } from "../tensor/show.ts";
import { parseJsonObject } from "./bytes.ts";
import { LIST_PACE, type ListedFile, listedPaths, listedRefs, MOST_LIST_BYTES } from "./hub-list.ts";
import { type NetworkLimits, networkLimits } from "./network-limits.ts";
import type { HubSettings } from "./node-hub-settings.ts";
import { ask, bytesOf, discard, NoAnswer, retried, TooLong } from "./request.ts";

/** The hub did not answer, or not sensibly; the cache may be used instead. */
export class HubUnreachable extends HubError {
  /** Why, in a few words: `ECONNREFUSED`, `it answered 503`. */
  readonly why: string;

  constructor(endpoint: string, why: string, cause?: unknown) {
    super(`The hub at ${endpoint} cannot be reached (${why}).`, { asked: endpoint, found: why, cause });
    this.name = "HubError";
    this.why = why;
  }
}

/** A model or a dataset at a revision. */
export interface HubRepository {
  readonly id: string;
  readonly revision: string;
  /** Default: a model. */
  readonly kind?: "model" | "dataset";
}

/** What the hub calls its kind of repository, at the beginning of a path. */
const apiOf = ({ kind = "model", id }: HubRepository) => `api/${kind}s/${id}`;
const pageOf = ({ kind, id }: HubRepository) => (kind === "dataset" ? `datasets/${id}` : id);

export interface RemoteFile {
  /** SHA-256 in hex for a large file, git's SHA-1 of the blob for any other. */
  readonly etag: string;
  /** Bytes. */
  readonly size: number;
}

const MOST_REDIRECTS = 10;

/**
 * The commit that a revision means now, and the files in it, by their paths.
 * @param tries the most tries, if the cache can be used instead
 */
export async function fetchRevision(
  hub: HubSettings,
  model: HubRepository,
  signal: AbortSignal | undefined,
  tries?: number,
): Promise<{ commit: string; files: ListedFile[] }> {
  const url = `${hub.endpoint}/${apiOf(model)}/revision/${encodeURIComponent(model.revision)}?blobs=true`;
  const text = await fetchList(hub, model, url, signal, tries);
  const { sha, siblings } = parseJsonObject(text, `The answer of ${url}`);
  if (typeof sha !== "string" || !/^[0-9a-f]{40}$/.test(sha) || !Array.isArray(siblings)) {
    throw new HubError(`${url} answered without a commit and a list of files; is HF_ENDPOINT a Hugging Face hub?`, {
      asked: url,
      found: text.slice(0, 200),
    });
  }
  return {
    commit: sha,
    files: listedPaths(siblings, url).sort((a, b) => (a.path < b.path ? -1 : 1)),
  };
}

/** The names of a model's branches and tags. */
export async function fetchRefs(
  hub: HubSettings,
  model: HubRepository,
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const url = `${hub.endpoint}/${apiOf(model)}/refs`;
  return listedRefs(parseJsonObject(await fetchList(hub, model, url, signal), `The answer of ${url}`), url);
}

/** An answer of the hub's API as text. */
async function fetchList(
  hub: HubSettings,
  model: HubRepository,
  url: string,
  signal: AbortSignal | undefined,
  tries?: number,
): Promise<string> {
  const own = networkLimits(hub.limits);
  const limits = { ...own, tries: Math.min(own.tries, tries ?? own.tries) };
  const body = await reached(hub, () =>
    retried(limits, signal, async () => {
      const { response } = await send(hub, url, { signal, limits });
      if (!response.ok) throw await refusal(hub, model, response);
      return bytesOf(response, MOST_LIST_BYTES, { ...limits, ...LIST_PACE }, signal);
    }),
  ).catch((error) => {
    if (!(error instanceof TooLong)) throw error;
    throw new HubError(`${url} answered with ${error.message}, too long for a list of files.`, { asked: url });
  });
  return new TextDecoder().decode(body);
}

export function fileUrl(hub: HubSettings, of: HubRepository, commit: string, path: string): string {
  return `${hub.endpoint}/${pageOf(of)}/resolve/${commit}/${path.split("/").map(encodeURIComponent).join("/")}`;
}

/** A file's checksum and size, without its bytes. */
export async function fetchFileInfo(
  hub: HubSettings,
  model: HubRepository,
  url: string,
  signal: AbortSignal | undefined,
): Promise<RemoteFile> {
  const limits = networkLimits(hub.limits);
  const { response, hubHeaders } = await reached(hub, () =>
    retried(limits, signal, () =>
      send(hub, url, {
        method: "HEAD",
        // If it were compressed in transit, the announced size would be wrong.
        headers: { "accept-encoding": "identity" },
        signal,
        limits,
        stayOnHub: true,
      }),
    ),
  );
  if (response.status >= 400) throw await refusal(hub, model, response);
  await discard(response);
  const header = (name: string) => hubHeaders.map((headers) => headers.get(name)).find((value) => value !== null);
  const redirected = response.status >= 300;
  const etag = (header("x-linked-etag") ?? response.headers.get("etag"))?.replace(/^W\//, "").replace(/^"|"$/g, "");
  const size = header("x-linked-size") ?? (redirected ? null : response.headers.get("content-length"));
  const named = etag !== undefined && /^\w[\w.-]{0,127}$/.test(etag) && !/\.(incomplete|lock)$/.test(etag);
  if (!named || !size || !/^\d+$/.test(size) || !Number.isSafeInteger(Number(size))) {
    throw new HubError(`${url} answered without a usable ETag and size; is HF_ENDPOINT a Hugging Face hub?`, {
      asked: url,
      found: { etag, size },
    });
  }
  return { etag, size: Number(size) };
}

/**
 * The answer to a GET for a file's bytes from `start` on: 206 with the rest, 200 with all, or 416.
 * @throws NoAnswer if retrying may help
 */
export async function fetchBytes(
  hub: HubSettings,
  model: HubRepository,
  url: string,
  start: number,
  limits: NetworkLimits,
  signal: AbortSignal | undefined,
): Promise<Response> {
  const headers: Record<string, string> = { "accept-encoding": "identity" };
  if (start > 0) headers.range = `bytes=${start}-`;
  const { response } = await send(hub, url, { headers, signal, limits });
  if (!response.ok && response.status !== 416) throw await refusal(hub, model, response);
  return response;
}

/** A part of a file's bytes, exactly as many as were asked for. @throws HubError if they do not arrive */
export async function fetchPart(
  hub: HubSettings,
  of: HubRepository,
  url: string,
  start: number,
  end: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  if (start === end) return new Uint8Array();
  const limits = networkLimits(hub.limits);
  const headers = { "accept-encoding": "identity", range: `bytes=${start}-${end - 1}` };
  return reached(hub, () =>
    retried(limits, signal, async () => {
      const { response } = await send(hub, url, { headers, signal, limits });
      if (!response.ok) throw await refusal(hub, of, response);
      const range = response.headers.get("content-range");
      if (response.status !== 206 || !range?.startsWith(`bytes ${start}-${end - 1}/`)) {
        await discard(response);
        throw new HubError(
          `${url} was asked for the bytes from ${start} to ${end - 1}, but answered with ${range === null ? "all of the file" : shown(range)}: download the file, and name it.`,
          { asked: `bytes ${start}-${end - 1}`, found: range },
        );
      }
      const bytes = await bytesOf(response, end - start, limits, signal);
      if (bytes.length === end - start) return bytes;
      throw new NoAnswer(`only ${bytes.length} of ${end - start} bytes arrived`, { passing: true });
    }),
  );
}

/** Turns what `work` throws when the hub does not answer into a HubError. */
async function reached<T>(hub: HubSettings, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    throw new HubUnreachable(hub.endpoint, error.message, error);
  }
}

interface Send {
  readonly method?: "GET" | "HEAD";
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal | undefined;
  readonly limits: NetworkLimits;
  /** Return a redirect that leaves the hub instead of following it. */
  readonly stayOnHub?: boolean;
}

/** @returns the last response, and the headers of all responses from the hub itself. */
async function send(
  hub: HubSettings,
  first: string,
  how: Send,
): Promise<{ response: Response; hubHeaders: Headers[] }> {
  const hubOrigin = new URL(hub.endpoint).origin;
  const hubHeaders: Headers[] = [];
  let url = new URL(first);
  for (let hops = 0; hops <= MOST_REDIRECTS; hops++) {
    const onHub = url.origin === hubOrigin;
    const headers: Record<string, string> = { ...how.headers, "user-agent": "glassformer" };
    if (onHub && hub.token !== undefined) headers.authorization = `Bearer ${hub.token}`;
    const init = { method: how.method ?? "GET", headers, redirect: "manual" } as const;
    const response = await ask(url, init, how.limits, how.signal);
    if (onHub) hubHeaders.push(response.headers);
    const location = response.status >= 300 && response.status < 400 ? response.headers.get("location") : null;
    if (location === null) return { response, hubHeaders };
    const next = URL.canParse(location, url.href) ? new URL(location, url) : undefined;
    if (next?.protocol !== "http:" && next?.protocol !== "https:") {
      await discard(response);
      throw new HubError(`${url.href} redirects to ${shown(location)}, which is not an http or https URL.`, {
        asked: first,
        found: location,
      });
    }
    if (how.stayOnHub && next.origin !== hubOrigin) return { response, hubHeaders };
    await discard(response);
    url = next;
  }
  throw new HubError(`${first} redirects more than ${MOST_REDIRECTS} times.`, { asked: first, found: url.href });
}

async function refusal(hub: HubSettings, of: HubRepository, response: Response): Promise<HubError> {
  const { id, revision, kind = "model" } = of;
  await discard(response);
  const { status } = response;
  const code = response.headers.get("x-error-code");
  const fields = { asked: id, found: status };
  const page = `${hub.endpoint}/${pageOf(of)}`;
  if (code === "GatedRepo" || status === 403) {
    return new HubError(
      hub.token === undefined
        ? `"${id}" is gated (${status}): accept its terms at ${page}, then set HF_TOKEN to a token that can read it.`
        : `Your token cannot read "${id}" (${status}): accept its terms at ${page}, or use a token with access to it.`,
      fields,
    );
  }
  if (code === "EntryNotFound") {
    return new HubError(`"${id}" has no file at ${response.url}.`, fields);
  }
  if (code === "RevisionNotFound") {
    return new HubError(`"${id}" has no revision "${revision}"; its branches and tags are listed at ${page}.`, fields);
  }
  if (status === 401 || status === 404) {
    return new HubError(
      `There is no ${kind} "${id}" on ${hub.endpoint} (${status}): check the spelling of "org/name"; if it is private, ` +
        (hub.token === undefined ? "set HF_TOKEN to a token that can read it." : "your token may lack access to it."),
      fields,
    );
  }
  return new HubError(`${hub.endpoint} answered ${status} to a request for "${id}" at revision "${revision}".`, fields);
}
