/**
 * The site's service worker. It stores the page's files, so that the page opens without a connection, and adds the headers with which a page
 * may compute in threads, which static hosts do not send. Models are stored by the library.
 */

interface Lasting extends Event {
  waitUntil(work: Promise<unknown>): void;
}

interface Fetching extends Lasting {
  readonly request: Request;
  respondWith(response: Promise<Response>): void;
}

declare const registration: ServiceWorkerRegistration;

const site = SITE;
const { scope } = registration;
/** The caches of this site: others of the same origin are in other folders. */
const OURS = `glassformer ${scope} `;
const CACHE = OURS + site.version;

addEventListener("install", (event) => (event as Lasting).waitUntil(store()));
addEventListener("activate", (event) => (event as Lasting).waitUntil(deleteOlder()));
addEventListener("fetch", (event) => {
  const { request } = event as Fetching;
  const { origin, pathname } = new URL(request.url);
  const address = origin + pathname;
  if (request.method !== "GET" || !address.startsWith(scope)) return;
  const path = address.slice(scope.length) || "index.html";
  (event as Fetching).respondWith(answer(event as Fetching, path));
});

async function store(): Promise<void> {
  const cache = await caches.open(CACHE);
  // The browser's own cache may have another version's under the same name.
  const changing = site.changing.map((path) => new Request(path, { cache: "no-cache" }));
  await cache.addAll([...changing, ...site.fixed]);
}

async function deleteOlder(): Promise<void> {
  const names = (await caches.keys()).filter((name) => name.startsWith(OURS) && name !== CACHE);
  await Promise.all(names.map((name) => caches.delete(name)));
}

/** What never changes comes from the cache; of the rest the host's is newer, and the cache's is for when it cannot be reached. */
async function answer(event: Fetching, path: string): Promise<Response> {
  const cache = await caches.open(CACHE);
  const stored = await cache.match(path);
  if (stored && !site.changing.includes(path)) return isolated(stored);
  try {
    const response = await fetch(event.request);
    if (!response.ok) return isolated(stored ?? response);
    if (path.startsWith(site.runtime)) event.waitUntil(cache.put(path, response.clone()));
    return isolated(response);
  } catch (error) {
    if (stored) return isolated(stored);
    throw error;
  }
}

/** A response with the headers of a page that shares memory between its threads, and with no other page. */
function isolated(response: Response): Response {
  if (response.type !== "basic" && response.type !== "default") return response;
  const headers = new Headers(response.headers);
  headers.set("cross-origin-opener-policy", "same-origin");
  headers.set("cross-origin-embedder-policy", "require-corp");
  const { status, statusText, body } = response;
  return new Response(body, { status, statusText, headers });
}
