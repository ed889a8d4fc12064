/** glassformer in Node: everything, run by onnxruntime-node, with models from folders and the Hugging Face hub. */
import { setDefaultBackend } from "./engine/default.ts";
import { nodeMemory } from "./engine/node-memory.ts";
import { nodeBackend } from "./engine/ort-node.ts";
import { openModelFiles } from "./load/node.ts";
import { setDefaultOpen } from "./load/open.ts";
import { setRasterizer } from "./report/rasterize.ts";
import { rasterizeWithResvg } from "./report/resvg.ts";
import { setMemoryReader } from "./tensor/free-memory.ts";
import { setDefaultCheckpoints } from "./training/checkpoint-store.ts";
import { folderCheckpoints } from "./training/node-checkpoints.ts";

setDefaultBackend(() => nodeBackend());
setDefaultOpen((name, resolve, options) => openModelFiles(name, { ...options, resolve }));
setMemoryReader(nodeMemory());
setRasterizer(rasterizeWithResvg);
setDefaultCheckpoints(folderCheckpoints);

export * from "./index.ts";
export { fileSource, folderFiles, hubFiles, openModelFiles } from "./load/node.ts";
export { nodeBackend };
