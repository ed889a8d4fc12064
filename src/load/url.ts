/** A file behind a URL, read by ranges: only what is needed is fetched. */
import { ArgumentError, HubError } from "../tensor/errors.ts";
import { OBJECT, SIGNAL } from "../tensor/kinds.ts";
import { checkOptions, type OptionKinds } from "../tensor/options.ts";
import { shortened, shown } from "../tensor/show.ts";
import type { ByteSource } from "./bytes.ts";
import { type NetworkLimits, networkLimits } from "./network-limits.ts";
import { ask, bytesOf, discard, NoAnswer, retried, TooLong } from "./request.ts";

/** How to request it. */
export interface UrlSourceOptions {
  /** Sent with each request: `{ authorization: "Bearer …" }`. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly signal?: AbortSignal | undefined;
  /** How long to wait for the server and how often to retry, if not as usual. */
  readonly limits?: Partial<NetworkLimits> | undefined;
}

const KINDS: OptionKinds<UrlSourceOptions> = { headers: OBJECT, signal: SIGNAL, limits: OBJECT };

/** The largest file that is held whole, if a server does not support ranges. */
const MOST_KEPT = 2 ** 30;

/**
 * The file at an `http` or `https` URL. Its size is requested here, its bytes when they are read. From a server that does not
 * support ranges, the whole file is fetched once and held.
 * @throws HubError if there is no answer, no such file or no size, and from a read if the file has changed by then or the
 * bytes are not the requested ones; ArgumentError for anything but such a URL.
 */
export async function urlSource(url: string | URL, options: UrlSourceOptions = {}): Promise<ByteSource> {
  checkOptions("urlSource", options, KINDS);
  const { headers = {}, signal } = options;
  const limits = networkLimits(options.limits);
  const isText = typeof url === "string" || url instanceof URL;
  const at = isText && URL.canParse(url) ? new URL(url) : undefined;
  if (at?.protocol !== "http:" && at?.protocol !== "https:") {
    throw new ArgumentError(`${shown(isText ? String(url) : url, 500)} is not an http or https URL.`, { asked: url });
  }
  if (at.username !== "" || at.password !== "") {
    throw new ArgumentError(
      `The URL of ${at.host}${shortened(at.pathname, 200)} contains a name or a password, which would not be sent: pass them as headers, { authorization: "Basic …" }.`,
      { asked: at.host },
    );
  }
  const fault = (why: string, found?: unknown, cause?: unknown) =>
    new HubError(`${at.href} ${why}`, { asked: at.href, found, cause });
  /** An answer and what is read from it; both are retried if the connection breaks or the server is busy. */
  const asked = async <T>(
    method: "HEAD" | "GET",
    range: string | undefined,
    stop: AbortSignal | undefined,
    read: (response: Response) => Promise<T>,
  ): Promise<T> => {
    // A compressed answer would report its compressed size.
    const sent = { "accept-encoding": "identity", ...headers, ...(range ? { range } : {}) };
    let answered = false;
    try {
      return await retried(limits, stop, async () => {
        answered = false;
        const response = await ask(at, { method, headers: sent }, limits, stop);
        answered = true;
        if (response.ok) return read(response);
        await discard(response);
        throw fault(`answered with ${response.status} ${response.statusText}.`.replace(" .", "."), response.status);
      });
    } catch (error) {
      if (error instanceof TooLong) throw fault(`sent ${error.message}, which is not what was requested: try again.`);
      if (!(error instanceof NoAnswer)) throw error;
      if (answered)
        throw new HubError(`The download of ${at.href} broke off: ${error.message}. Try again.`, {
          asked: at.href,
          cause: error,
        });
      if (error.status !== undefined)
        throw fault(`could not be read: ${error.message}. Try again later.`, error.status, error);
      throw fault(`cannot be reached: ${error.message}. Check the address and the connection.`, undefined, error);
    }
  };
  const answerOf = (method: "HEAD" | "GET", range?: string) =>
    asked(method, range, signal, async (response) => {
      await discard(response);
      return response;
    });
  // Some servers only answer GET: requesting the first byte reveals the size, too.
  const head = await answerOf("HEAD").catch((error) => {
    if (error.found === 405 || error.found === 501) return answerOf("GET", "bytes=0-0");
    throw error;
  });
  const told =
    head.status === 206 ? head.headers.get("content-range")?.split("/")[1] : head.headers.get("content-length");
  const compressed = compressionOf(head);
  if (compressed !== undefined || !/^\d+$/.test(told ?? "") || !Number.isSafeInteger(Number(told))) {
    const why = compressed === undefined ? "does not say how long it is" : `is sent compressed (${compressed})`;
    throw fault(`${why}, so it cannot be read by ranges: download it, and read the file.`);
  }
  const size = Number(told);
  const etag = strongEtag(head);

  /** @throws HubError if the file is no longer the one whose size is known */
  const sameFile = (response: Response, total: string | null | undefined) => {
    const now = strongEtag(response);
    if ((total && total !== "*" && total !== String(size)) || (etag && now && etag !== now)) {
      throw fault("has changed while it was being read: start again.", total);
    }
  };
  const exactly = async (response: Response, length: number, stop: AbortSignal | undefined) => {
    const bytes = await bytesOf(response, length, limits, stop);
    if (bytes.length < length) throw new NoAnswer(`only ${bytes.length} of ${length} bytes arrived`, { passing: true });
    return bytes;
  };
  let whole: Uint8Array | undefined;
  const readRange = (start: number, end: number, stop: AbortSignal | undefined) =>
    asked("GET", `bytes=${start}-${end - 1}`, stop, async (response) => {
      if (whole) {
        await discard(response); // another read found out meanwhile
        return whole.subarray(start, end);
      }
      const unpacked = compressionOf(response);
      if (response.status === 206 && unpacked === undefined) {
        const range = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(response.headers.get("content-range") ?? "");
        if (range) sameFile(response, range[3]);
        if (range && (Number(range[1]) !== start || Number(range[2]) !== end - 1)) {
          await discard(response);
          throw fault(`answered with the bytes ${range[1]} to ${range[2]}, not ${start} to ${end - 1}.`, range[0]);
        }
        return exactly(response, end - start, stop);
      }
      if (unpacked === undefined) sameFile(response, response.headers.get("content-length"));
      if (size > MOST_KEPT) {
        await discard(response);
        throw fault(`is only sent whole, all ${Math.ceil(size / 1e6)} MB: download it, and read the file.`, size);
      }
      whole = await exactly(response, size, stop);
      return whole.subarray(start, end);
    });
  return {
    name: nameOf([at.href, head.url]),
    size,
    async read(start, end, stop = signal) {
      stop?.throwIfAborted();
      if (whole) return whole.subarray(start, end);
      if (start === end) return new Uint8Array();
      return readRange(start, end, stop);
    },
  };
}

/** How an answer's body is compressed, if it is. */
function compressionOf(response: Response): string | undefined {
  const encoding = response.headers.get("content-encoding") ?? "identity";
  return encoding === "identity" ? undefined : encoding;
}

function strongEtag(response: Response): string | undefined {
  const etag = response.headers.get("etag");
  return etag?.startsWith('"') ? etag : undefined;
}

/** Extensions that say how to read a file. */
const FORMATS = /\.(txt|jsonl|ndjson|json|parquet|safetensors|pth|pt)$/i;

/** The name of a file: as requested, unless only the name that it was redirected to says what it is. */
function nameOf(urls: readonly string[]): string {
  const names = urls.filter(Boolean).map((url) => decoded(new URL(url).pathname.split("/").at(-1) ?? "") || url);
  return names.find((name) => FORMATS.test(name)) ?? names.find((name) => /\.\w+$/.test(name)) ?? names[0];
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // a percent sign that does not begin an escape
  }
}
