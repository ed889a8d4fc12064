/** A file behind a URL, read by ranges: no more of it is fetched than is asked for. */
import { ArgumentError, HubError } from "../tensor/errors.ts";
import type { ByteSource } from "./bytes.ts";

/** How to ask for it. */
export interface UrlSourceOptions {
  /** Sent with each request: `{ authorization: "Bearer …" }`. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The file at an `http` or `https` URL. Its size is asked for here; its bytes when they are read. A server that does not
 * know ranges is asked for the whole file once, which is then kept.
 * @throws HubError if there is no answer, no such file or no size; ArgumentError for what is no such URL.
 */
export async function urlSource(
  url: string | URL,
  { headers = {}, signal }: UrlSourceOptions = {},
): Promise<ByteSource> {
  const at = URL.canParse(url) ? new URL(url) : undefined;
  if (at?.protocol !== "http:" && at?.protocol !== "https:") {
    throw new ArgumentError(`"${url}" is no http or https URL.`, { asked: String(url) });
  }
  const ask = async (method: "HEAD" | "GET", range: string | undefined, stop: AbortSignal | undefined) => {
    // A compressed answer would tell its compressed size.
    const sent = { "accept-encoding": "identity", ...headers, ...(range ? { range } : {}) };
    const init = { method, headers: sent, ...(stop ? { signal: stop } : {}) };
    const response = await fetch(at, init).catch((cause) => {
      stop?.throwIfAborted();
      throw new HubError(`${at.href} cannot be reached: ${reason(cause)}. Check the address and the connection.`, {
        asked: at.href,
        cause,
      });
    });
    if (response.ok) return response;
    await response.body?.cancel();
    throw new HubError(`${at.href} was answered with ${response.status} ${response.statusText}.`, {
      asked: at.href,
      found: response.status,
    });
  };
  // Some servers answer GET alone: the first byte's answer tells the size, too.
  const head = await ask("HEAD", undefined, signal).catch((error) => {
    if (error.found === 405 || error.found === 501) return ask("GET", "bytes=0-0", signal);
    throw error;
  });
  await head.body?.cancel();
  const told =
    head.status === 206 ? head.headers.get("content-range")?.split("/")[1] : head.headers.get("content-length");
  const size = Number(told ?? Number.NaN);
  const compressed = head.headers.get("content-encoding") ?? "identity";
  if (!Number.isSafeInteger(size) || compressed !== "identity") {
    const why = compressed === "identity" ? "does not say how long it is" : `is sent compressed (${compressed})`;
    throw new HubError(`${at.href} ${why}, so it cannot be read by ranges: download it, and read the file.`, {
      asked: at.href,
    });
  }

  let whole: Promise<Uint8Array> | undefined;
  const bytesOf = async (response: Response, expected: number, stop: AbortSignal | undefined) => {
    const bytes = await response.arrayBuffer().catch((cause) => {
      stop?.throwIfAborted();
      throw new HubError(`The download of ${at.href} broke off: ${reason(cause)}. Try again.`, {
        asked: at.href,
        cause,
      });
    });
    if (bytes.byteLength === expected) return new Uint8Array(bytes);
    throw new HubError(`${at.href} sent ${bytes.byteLength} bytes where ${expected} were asked for: try again.`, {
      asked: expected,
      found: bytes.byteLength,
    });
  };
  return {
    name: nameOf([at.href, head.url]),
    size,
    async read(start, end, stop = signal) {
      if (whole) return (await whole).subarray(start, end);
      if (start === end) return new Uint8Array();
      const response = await ask("GET", `bytes=${start}-${end - 1}`, stop);
      if (response.status === 206) return bytesOf(response, end - start, stop);
      whole = bytesOf(response, size, stop);
      whole.catch(() => {
        whole = undefined;
      });
      return (await whole).subarray(start, end);
    },
  };
}

/** Endings that say how a file is to be read. */
const FORMATS = /\.(txt|jsonl|ndjson|json|parquet|safetensors|pth|pt)$/i;

/** What a file is called: as it was asked for, unless only what it was redirected to says what it is. */
function nameOf(urls: readonly string[]): string {
  const names = urls.filter(Boolean).map((url) => decoded(new URL(url).pathname.split("/").at(-1) ?? "") || url);
  return names.find((name) => FORMATS.test(name)) ?? names.find((name) => /\.\w+$/.test(name)) ?? names[0];
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // a percent sign that begins no escape
  }
}

function reason(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? cause.message || message : message;
}
