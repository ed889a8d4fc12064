/** Files that a page keeps between visits, by URL, in the browser's Cache Storage; pages without one keep none. */

export interface WebCache {
  get(url: URL): Promise<Blob | undefined>;
  /** Stores the blob, if the browser has room for it. */
  put(url: URL, blob: Blob): Promise<void>;
}

/** @param name the name of the Cache Storage, or `false` to keep nothing. */
export function webCache(name: string | false): WebCache {
  // Cache Storage only exists on https and localhost, and may be forbidden in a private window.
  const storage = name === false ? undefined : globalThis.caches?.open(name).catch(() => undefined);
  return {
    get: async (url) => (await (await storage)?.match(url))?.blob(),
    put: async (url, blob) => {
      await (await storage)?.put(url, new Response(blob)).catch(() => {});
    },
  };
}
