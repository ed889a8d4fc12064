/**
 * The hub's HTTP interface: which commit a revision is and what files it has, each file's checksum, its bytes.
 * Redirects are followed by hand: large files lie on other hosts, and the token must not go there.
 */
import { HubError } from "../tensor/errors.ts";
import { parseJsonObject } from "./bytes.ts";
import type { HubSettings } from "./node-hub-settings.ts";

/** The hub did not answer, or not sensibly; what is in the cache may serve instead. */
export class HubUnreachable extends HubError {
  /** Why, in a few words: `ECONNREFUSED`, `it answered 503`. */
  readonly why: string;

  constructor(endpoint: string, why: string, cause?: unknown) {
    super(`The hub at ${endpoint} cannot be reached (${why}).`, { asked: endpoint, found: why, cause });
    this.name = "HubError";
    this.why = why;
  }
}

/** A model at a revision. */
export interface HubModel {
  readonly id: string;
  readonly revision: string;
}

export interface RemoteFile {
  /** SHA-256 in hex for a large file, git's SHA-1 of the blob for any other. */
  readonly etag: string;
  /** Bytes. */
  readonly size: number;
}

const ANSWER_WITHIN_MS = 10_000;
const MOST_REDIRECTS = 10;

/** The commit that a revision means now, and the paths in it. */
export async function fetchRevision(
  hub: HubSettings,
  model: HubModel,
  signal: AbortSignal | undefined,
): Promise<{ commit: string; paths: string[] }> {
  const url = `${hub.endpoint}/api/models/${model.id}/revision/${encodeURIComponent(model.revision)}`;
  const { response } = await send(hub, url, { signal, within: ANSWER_WITHIN_MS });
  if (!response.ok) throw refusal(hub, model, response);
  const body = await response.text().catch((cause) => {
    signal?.throwIfAborted();
    throw new HubUnreachable(hub.endpoint, "its answer broke off", cause);
  });
  const { sha, siblings } = parseJsonObject(body, `The answer of ${url}`);
  if (typeof sha !== "string" || !/^[0-9a-f]{40}$/.test(sha) || !Array.isArray(siblings)) {
    throw new HubError(`${url} answered without a commit and a list of files; is HF_ENDPOINT a Hugging Face hub?`, {
      asked: url,
      found: body.slice(0, 200),
    });
  }
  const paths = siblings.map((file) => (file as { rfilename?: unknown } | null)?.rfilename);
  return { commit: sha, paths: paths.filter((path) => typeof path === "string").sort() };
}

export function fileUrl(hub: HubSettings, id: string, commit: string, path: string): string {
  return `${hub.endpoint}/${id}/resolve/${commit}/${path.split("/").map(encodeURIComponent).join("/")}`;
}

/** A file's checksum and size, without its bytes. */
export async function fetchFileInfo(
  hub: HubSettings,
  model: HubModel,
  url: string,
  signal: AbortSignal | undefined,
): Promise<RemoteFile> {
  const { response, hubHeaders } = await send(hub, url, {
    method: "HEAD",
    // Compressed on the way, a file would be announced with another size.
    headers: { "accept-encoding": "identity" },
    signal,
    within: ANSWER_WITHIN_MS,
    stayOnHub: true,
  });
  if (response.status >= 400) throw refusal(hub, model, response);
  const header = (name: string) => hubHeaders.map((headers) => headers.get(name)).find((value) => value !== null);
  const redirected = response.status >= 300;
  const etag = (header("x-linked-etag") ?? response.headers.get("etag"))?.replace(/^W\//, "").replace(/^"|"$/g, "");
  const size = header("x-linked-size") ?? (redirected ? null : response.headers.get("content-length"));
  if (!etag || !/^[\w.-]+$/.test(etag) || !size || !/^\d+$/.test(size)) {
    throw new HubError(`${url} was answered without a usable ETag and size; is HF_ENDPOINT a Hugging Face hub?`, {
      asked: url,
      found: { etag, size },
    });
  }
  return { etag, size: Number(size) };
}

/** The answer to a GET for a file's bytes from `start` on: 206 with the rest, 200 with all, or 416. */
export async function fetchBytes(
  hub: HubSettings,
  model: HubModel,
  url: string,
  start: number,
  signal: AbortSignal | undefined,
): Promise<Response> {
  const headers: Record<string, string> = { "accept-encoding": "identity" };
  if (start > 0) headers.range = `bytes=${start}-`;
  const { response } = await send(hub, url, { headers, signal });
  if (!response.ok && response.status !== 416) throw refusal(hub, model, response);
  return response;
}

interface Send {
  readonly method?: "GET" | "HEAD";
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal | undefined;
  /** Milliseconds to wait for an answer. */
  readonly within?: number;
  /** Return a redirect that leaves the hub instead of following it. */
  readonly stayOnHub?: boolean;
}

/** @returns the last response, and the headers of all that the hub itself gave. */
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
    const response = await answer(hub, url, how, onHub);
    if (onHub) hubHeaders.push(response.headers);
    const location = response.status >= 300 && response.status < 400 ? response.headers.get("location") : null;
    const next = location === null ? undefined : new URL(location, url);
    if (next === undefined || (how.stayOnHub && next.origin !== hubOrigin)) return { response, hubHeaders };
    await response.body?.cancel();
    url = next;
  }
  throw new HubError(`${first} redirects more than ${MOST_REDIRECTS} times.`, { asked: first, found: url.href });
}

async function answer(hub: HubSettings, url: URL, how: Send, onHub: boolean): Promise<Response> {
  const headers: Record<string, string> = { ...how.headers, "user-agent": "glassformer" };
  if (onHub && hub.token !== undefined) headers.authorization = `Bearer ${hub.token}`;
  const limits = [how.signal, how.within === undefined ? undefined : AbortSignal.timeout(how.within)];
  const signals = limits.filter((signal) => signal !== undefined);
  let response: Response;
  try {
    response = await fetch(url, {
      method: how.method ?? "GET",
      headers,
      redirect: "manual",
      signal: signals.length > 0 ? AbortSignal.any(signals) : null,
    });
  } catch (cause) {
    how.signal?.throwIfAborted();
    throw new HubUnreachable(url.origin, reasonOf(cause), cause);
  }
  if (response.status === 429 || response.status >= 500) {
    throw new HubUnreachable(url.origin, `it answered ${response.status}`);
  }
  return response;
}

/** What went wrong below `fetch`, which itself only says that it failed. */
export function reasonOf(cause: unknown): string {
  if (cause instanceof Error && cause.name === "TimeoutError") return "no answer in time";
  const inner = cause instanceof Error && cause.cause !== undefined ? cause.cause : cause;
  const code = (inner as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : inner instanceof Error ? inner.message : String(inner);
}

function refusal(hub: HubSettings, { id, revision }: HubModel, response: Response): HubError {
  const { status } = response;
  const code = response.headers.get("x-error-code");
  const fields = { asked: id, found: status };
  const page = `${hub.endpoint}/${id}`;
  if (code === "GatedRepo" || status === 403) {
    return new HubError(
      hub.token === undefined
        ? `"${id}" is gated (${status}): accept its terms at ${page}, then set HF_TOKEN to a token that may read it.`
        : `Your token may not read "${id}" (${status}): accept its terms at ${page}, or use a token with access to it.`,
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
      `There is no model "${id}" on ${hub.endpoint} (${status}): check the spelling of "org/name"; if it is private, ` +
        (hub.token === undefined ? "set HF_TOKEN to a token that may read it." : "your token may not read it."),
      fields,
    );
  }
  return new HubError(`${hub.endpoint} answered ${status} when asked for "${id}" at revision "${revision}".`, fields);
}
