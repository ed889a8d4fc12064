/** The page that a script belongs to. */

/** What relative URLs are relative to: the page, or the worker's script. */
export function pageUrl(): string | undefined {
  return globalThis.document?.baseURI ?? globalThis.location?.href;
}

/** Whether a URL is on the page's own server. Outside pages nothing separates servers. */
export function isOwnOrigin(url: URL): boolean {
  const origin = globalThis.location?.origin;
  return origin === undefined || url.origin === origin;
}
