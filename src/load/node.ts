/** The part of load/ for Node only: files on disk, and the hub with its cache. */
export { fileSource } from "./node-file.ts";
export { folderFiles } from "./node-folder.ts";
export type { HubOptions } from "./node-hub.ts";
export { hubFiles } from "./node-hub.ts";
export type { Environment, HubSettings } from "./node-hub-settings.ts";
export { hubSettings } from "./node-hub-settings.ts";
export { openModelFiles } from "./node-open.ts";
