/** onnxruntime-node as a backend: native, multi-threaded. */
import * as ort from "onnxruntime-node";
import type { Backend } from "./engine.ts";
import { backendOver } from "./ort.ts";

// The official binaries of ONNX Runtime report usage to their maker unless told not to, before the first session.
process.env.ORT_DISABLE_TELEMETRY ??= "1";

export interface NodeBackendOptions {
  /** Threads within one op; all cores by default. */
  readonly threads?: number;
}

export function nodeBackend({ threads }: NodeBackendOptions = {}): Backend {
  return backendOver("onnxruntime-node", ort, {
    executionProviders: ["cpu"],
    graphOptimizationLevel: "all",
    logSeverityLevel: 3,
    // A block planned for all values of a shape comes on top of what the first run took: a training step held twice as much.
    enableMemPattern: false,
    // Each session has threads of its own; those of one must not spin on after its run and take the next one's cores.
    extra: { session: { force_spinning_stop: "1" } },
    ...(threads ? { intraOpNumThreads: threads } : {}),
  });
}
