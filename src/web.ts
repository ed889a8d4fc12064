/** glassformer in a page: everything, run by onnxruntime-web, with models from URLs and the Hugging Face hub. */
import { setDefaultBackend } from "./engine/default.ts";
import { webBackend } from "./engine/ort-web.ts";
import { webMemory } from "./engine/web-memory.ts";
import { setDefaultOpen } from "./load/open.ts";
import { openModelFiles } from "./load/web.ts";
import { setMemoryReader } from "./tensor/free-memory.ts";

setDefaultBackend(() => webBackend());
setMemoryReader(webMemory());
setDefaultOpen((name, resolve, options) => openModelFiles(name, { ...options, resolve }));

export * from "./index.ts";
export { blobSource, hubFiles, openModelFiles, setHub, urlFiles } from "./load/web.ts";
export { webBackend };
