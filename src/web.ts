/** glassformer in a page: everything, run by onnxruntime-web, with models from URLs and the Hugging Face hub. */
import { webBackend } from "./engine/ort-web.ts";
import { usePage } from "./page-platform.ts";

usePage(webBackend);

export type { WebBackendOptions } from "./engine/ort-web-settings.ts";
export * from "./index.ts";
export * from "./load/web.ts";
export { webBackend };
