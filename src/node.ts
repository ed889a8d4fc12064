/** glassformer in Node: everything, run by onnxruntime-node, with models from folders and the Hugging Face hub. */
import { defaultEngine } from "./engine/default.ts";
import { nodeMemory } from "./engine/node-memory.ts";
import { nodeBackend } from "./engine/ort-node.ts";
import { openModelFiles } from "./load/node.ts";
import { type Platform, usePlatform } from "./platform.ts";
import { notebookOf } from "./report/notebook.ts";
import { rasterizeWithResvg } from "./report/resvg.ts";
import { folderCheckpoints } from "./training/node-checkpoints.ts";

const node: Platform = {
  backend: (device) => nodeBackend({ device }),
  engine: defaultEngine,
  open: (name, resolve, options) => openModelFiles(name, { ...options, resolve }),
  memory: nodeMemory(),
  notebook: notebookOf,
  checkpoints: folderCheckpoints,
  rasterize: rasterizeWithResvg,
};
usePlatform(node);

export * from "./index.ts";
export { fileSource, folderFiles, hubFiles, openModelFiles } from "./load/node.ts";
export { nodeBackend };
