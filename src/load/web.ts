/** The part of load/ for pages only: folders behind URLs, and the hub with the browser's cache. */
export { blobSource } from "./web-fetch.ts";
export { urlFiles } from "./web-folder.ts";
export type { WebHubOptions, WebHubSettings } from "./web-hub.ts";
export { hubFiles, setHub } from "./web-hub.ts";
export { openModelFiles } from "./web-open.ts";
