/** glassformer in a page: everything, run by onnxruntime-web, with models from URLs and the Hugging Face hub. */
import { defaultEngine } from "./engine/default.ts";
import { webBackend } from "./engine/ort-web.ts";
import { webMemory } from "./engine/web-memory.ts";
import { openModelFiles } from "./load/web.ts";
import { type Platform, usePlatform } from "./platform.ts";
import { drawOnCanvas } from "./report/canvas.ts";
import { notebookOf } from "./report/notebook.ts";

const page: Platform = {
  backend: (device) => webBackend({ device }),
  engine: defaultEngine,
  open: (name, resolve, options) => openModelFiles(name, { ...options, resolve }),
  memory: webMemory(),
  notebook: notebookOf,
  checkpoints: undefined, // a page has no folders: it passes a CheckpointStore
  rasterize: drawOnCanvas,
};
usePlatform(page);

export type { WebBackendOptions } from "./engine/ort-web-runtime.ts";
export * from "./index.ts";
export {
  blobSource,
  type Choice,
  chosenFiles,
  deleteStored,
  hubFiles,
  openModelFiles,
  type StoredModel,
  type StoredModelFile,
  setHub,
  storedModels,
  urlFiles,
  type WebHubOptions,
  type WebHubSettings,
} from "./load/web.ts";
export { webBackend };
