/** What a page fetches, as a source of bytes: the browser keeps the blob where it likes, on disk or in memory. */
import { HubError } from "../tensor/errors.ts";
import type { ByteSource } from "./bytes.ts";
import type { LoadOptions } from "./files.ts";

/** A blob's bytes: a file that somebody chose or dropped on the page. @param name its ending says the format */
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

/** No answer at all; what was kept of an earlier one may serve instead. */
export class Unreachable extends HubError {
  constructor(url: URL, cause: unknown) {
    super(
      `${url.href} cannot be reached from this page: check the connection, and that ${url.host} lets pages of other ` +
        "origins read it (CORS) if it is not the page's own.",
      { asked: url.href, found: (cause as Error).message, cause },
    );
  }
}

/** `fetch`, with a failed connection as an error that says what to look at. @throws HubError */
export async function request(url: URL, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (cause) {
    init.signal?.throwIfAborted();
    throw new Unreachable(url, cause);
  }
}

/**
 * The whole body of an answer, with progress.
 * @param size what the body must hold, where that is known beforehand
 * @throws HubError if the connection breaks off, or if there are more or fewer bytes than announced
 */
export async function readBody(
  response: Response,
  file: string,
  size: number | undefined,
  { signal, onProgress }: LoadOptions,
): Promise<Blob> {
  // A compressed body announces its compressed size.
  const encoded = response.headers.get("content-encoding") ?? "identity";
  const length = encoded === "identity" ? response.headers.get("content-length") : null;
  const expected = size ?? (length === null ? undefined : Number(length));
  let loaded = 0;
  const count = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      loaded += chunk.length;
      onProgress?.({ file, loaded, total: Math.max(expected ?? 0, loaded) });
      controller.enqueue(chunk);
    },
  });
  const body = response.body ?? new Blob([]).stream();
  const blob = await new Response(body.pipeThrough(count)).blob().catch((cause) => {
    signal?.throwIfAborted();
    throw new HubError(`The download of ${file} broke off after ${loaded} bytes: try again.`, {
      asked: response.url,
      found: loaded,
      cause,
    });
  });
  if (expected !== undefined && blob.size !== expected) {
    throw new HubError(`${file} should have ${expected} bytes, but ${blob.size} came: try again.`, {
      asked: response.url,
      found: blob.size,
    });
  }
  return blob;
}
