import { effect } from "@preact/signals";
import { result } from "./store.ts";

/**
 * Starts the site's service worker once the page has computed something: what it stores is then in the browser's own cache already. Where a
 * browser has none, or refuses it, the page needs a connection.
 */
export function storeForOffline(): void {
  if (!IS_SITE || !navigator.serviceWorker) return;
  const stop = effect(() => {
    if (!result.value || result.value.stored) return;
    queueMicrotask(() => stop());
    navigator.serviceWorker.register("./service-worker.js").catch(() => {});
  });
}
