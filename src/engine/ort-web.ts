/** onnxruntime-web as a backend: WebAssembly or WebGPU, the same bytes, in a browser (WebAssembly also in Node, for the tests). */
import { checkOptions } from "../tensor/options.ts";
import type { Backend } from "./backend.ts";
import type { Device } from "./devices.ts";
import { WEB_OPTIONS, type WebRuntime, webBackendOver } from "./ort-web-runtime.ts";
import type { WebBackendOptions } from "./ort-web-settings.ts";

/**
 * The build for a device: WebGPU's is twice as large, so a page that does without never asks for it. The newer `onnxruntime-web/webgpu` 1.30
 * cannot compile a cumsum.
 */
function build(device: Device): Promise<WebRuntime> {
  return device === "webgpu" ? import("onnxruntime-web") : import("onnxruntime-web/wasm");
}

/**
 * The engine of a page, on the page's own thread. The runtime is loaded at the first run: the build that the device needs. With WebGPU,
 * weights stay in the graphics processor's memory from run to run.
 */
export function webBackend(options: WebBackendOptions = {}): Backend {
  checkOptions("webBackend", options, WEB_OPTIONS);
  return webBackendOver(build, options);
}
