/** The part of load/ for pages only: folders behind URLs, the hub, files that a person chose, and what the browser stores of them. */
export { type Choice, chosenFiles } from "./web-chosen.ts";
export { blobSource } from "./web-fetch.ts";
export { urlFiles } from "./web-folder.ts";
export type { WebHubOptions } from "./web-hub.ts";
export { hubFiles } from "./web-hub.ts";
export { openModelFiles } from "./web-open.ts";
export { setHub, type WebHubSettings } from "./web-settings.ts";
export { deleteStored, type StoredModel, type StoredModelFile, storedModels } from "./web-stored.ts";
