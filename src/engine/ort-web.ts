/** onnxruntime-web as a backend: WebAssembly, the same bytes, in a browser (or in Node, for the tests). */
import * as ort from "onnxruntime-web";
import type { Backend } from "./backend.ts";
import { backendOver } from "./ort.ts";

export function webBackend(): Backend {
  const options = { executionProviders: ["wasm"], graphOptimizationLevel: "all" } as const;
  return backendOver("onnxruntime-web", ort, options, { copiesFeeds: true });
}
