/** A page's requests, and blobs as sources of bytes. */
import { FileFormatError, HubError } from "../tensor/errors.ts";
import type { ByteSource } from "./bytes.ts";
import type { NetworkLimits } from "./network-limits.ts";
import { ask, NoAnswer, retried } from "./request.ts";

/**
 * The bytes of a blob, such as a file that the user chose or dropped on the page: only what is read is in memory. `chosenFiles` makes a model's
 * files of several.
 * @param name its extension says what format it has
 */
export function blobSource(name: string, blob: Blob): ByteSource {
  return {
    name,
    size: blob.size,
    async read(start, end, signal) {
      signal?.throwIfAborted();
      const bytes = await blob
        .slice(start, end)
        .arrayBuffer()
        .catch((cause) => {
          throw new FileFormatError(
            `${name} can no longer be read (${cause?.message}): it was changed, moved or deleted since it was opened. Open it again.`,
            { asked: name, cause },
          );
        });
      return new Uint8Array(bytes);
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
    return await retried(limits, signal, async () => {
      const response = await ask(url, { method, headers }, limits, signal);
      // Chromium counts an answer whose body is not read as a request that failed, even where there is none.
      if (method === "HEAD") await response.arrayBuffer();
      return read(response);
    });
  } catch (error) {
    if (error instanceof NoAnswer) throw new Unreachable(url, error);
    throw error;
  }
}
