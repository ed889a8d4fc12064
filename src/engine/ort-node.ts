/** onnxruntime-node as a backend: native, multi-threaded. */
import * as ort from "onnxruntime-node";
import type { Backend } from "./engine.ts";
import { backendOver } from "./ort.ts";

export interface NodeBackendOptions {
  /** Threads within one op; all cores by default. */
  readonly threads?: number;
}

export function nodeBackend({ threads }: NodeBackendOptions = {}): Backend {
  return backendOver("onnxruntime-node", ort, {
    executionProviders: ["cpu"],
    graphOptimizationLevel: "all",
    logSeverityLevel: 3,
    ...(threads ? { intraOpNumThreads: threads } : {}),
  });
}
