/** onnxruntime-web as a backend: WebAssembly or WebGPU, the same bytes, in a browser (WebAssembly also in Node, for the tests). */
import * as ort from "onnxruntime-web";
import { oneOf } from "../tensor/kinds.ts";
import { checkOptions, type OptionKinds } from "../tensor/options.ts";
import type { Backend } from "./backend.ts";
import { DEVICES, type Device } from "./devices.ts";
import { backendOver } from "./ort.ts";
import { onGpu } from "./ort-gpu.ts";

export interface WebBackendOptions {
  /** What computes: the processor by WebAssembly (the default), or the graphics processor by WebGPU. */
  readonly device?: Device | undefined;
}

const OPTIONS: OptionKinds<WebBackendOptions> = { device: oneOf(DEVICES) };

/** The engine of a page. With WebGPU, weights stay in the graphics processor's memory from run to run. */
export function webBackend(options: WebBackendOptions = {}): Backend {
  checkOptions("webBackend", options, OPTIONS);
  const { device = "cpu" } = options;
  const provider = { device, names: { cpu: "wasm", webgpu: "webgpu" } };
  const place = device === "webgpu" ? { place: onGpu(ort) } : {};
  // Measured with onnxruntime-web 1.30: float16 is read as 0, int4 multiplied to 0, int8 refused.
  const traits = { copiesFeeds: true, wholeWeights: device === "webgpu" };
  return backendOver("onnxruntime-web", ort, { graphOptimizationLevel: "all" }, { ...provider, ...place }, traits);
}
