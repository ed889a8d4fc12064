/** What a page fetches, as a source of bytes: the browser keeps the blob on disk or in memory, as it likes. */
import { HubError } from "../tensor/errors.ts";
import type { ByteSource } from "./bytes.ts";
import type { LoadOptions } from "./files.ts";
import type { NetworkLimits } from "./network-limits.ts";
import { ask, chunksOf, NoAnswer, retried, TooLong } from "./request.ts";

/** The bytes of a blob: a file that the user chose or dropped on the page. @param name its extension gives the format */
export function blobSource(name: string, blob: Blob): ByteSource {
  return {
    name,
    size: blob.size,
    async read(start, end, signal) {
      signal?.throwIfAborted();
      return new Uint8Array(await blob.slice(start, end).arrayBuffer());
    },
  };
}

/** No answer, or not a useful one; a cached earlier one may be used instead. */
export class Unreachable extends HubError {
  constructor(url: URL, cause: NoAnswer) {
    super(
      `${url.href} cannot be reached from this page (${cause.message}): ` +
        (cause.status === undefined
          ? `check the connection, and that ${url.host} lets other origins read it (CORS) if it is not the page's own host.`
          : "try again later."),
      { asked: url.href, found: cause.message, cause },
    );
  }
}

/** A request to a server, and its time limits. */
export interface PageRequest {
  readonly url: URL;
  readonly method?: "GET" | "HEAD";
  readonly headers?: Readonly<Record<string, string>>;
  readonly limits: NetworkLimits;
}

/**
 * An answer, and what `read` makes of its body; both are retried if the connection breaks or the server is busy. (A page is
 * never sees why a request without any answer failed, so that is not retried.)
 * @throws Unreachable, or what `read` throws
 */
export async function request<T>(
  { url, method = "GET", headers = {}, limits }: PageRequest,
  signal: AbortSignal | undefined,
  read: (response: Response) => T | Promise<T>,
): Promise<T> {
  try {
    return await retried(limits, signal, async () => read(await ask(url, { method, headers }, limits, signal)));
  } catch (error) {
    if (error instanceof NoAnswer) throw new Unreachable(url, error);
    throw error;
  }
}

/** The most bytes of a body whose length is unknown. */
const MOST_UNANNOUNCED = 2 ** 31;

/**
 * The whole body of an answer, with progress.
 * @param size the length of the body, if that is known beforehand
 * @throws NoAnswer if the connection breaks or stalls, HubError if there are more or fewer bytes than announced
 */
export async function readBody(
  response: Response,
  file: string,
  size: number | undefined,
  limits: NetworkLimits,
  { signal, onProgress }: LoadOptions,
): Promise<Blob> {
  // A compressed body announces its compressed size.
  const encoded = response.headers.get("content-encoding") ?? "identity";
  const length = encoded === "identity" ? response.headers.get("content-length") : null;
  const expected = size ?? (length === null ? undefined : Number(length));
  const wrong = (found: string) =>
    new HubError(
      `${file} should have ${expected ?? `at most ${MOST_UNANNOUNCED}`} bytes, but ${found} arrived: try again.`,
      {
        asked: response.url,
        found,
      },
    );
  const chunks = chunksOf(response, expected ?? MOST_UNANNOUNCED, limits, signal);
  let loaded = 0;
  let failed: unknown;
  // The blob belongs to the browser: its contents need not be in memory.
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await chunks.next();
        if (done) return controller.close();
        loaded += value.length;
        onProgress?.({ file, loaded, total: Math.max(expected ?? 0, loaded) });
        controller.enqueue(value);
      } catch (error) {
        failed = error;
        throw error;
      }
    },
    cancel: () => void chunks.return(undefined),
  });
  const blob = await new Response(stream).blob().catch((error) => {
    const cause = failed ?? error;
    throw cause instanceof TooLong ? wrong("more") : cause;
  });
  if (expected !== undefined && blob.size !== expected) throw wrong(String(blob.size));
  return blob;
}
