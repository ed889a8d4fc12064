/** A backend whose runs are on a worker's thread, which bundlers find. */
import type { WebBackendOptions } from "./ort-web-settings.ts";
import { type WorkerBackend, workerBackendOver } from "./worker-sessions.ts";

/**
 * A backend that computes in a worker, so that a page stays free while it does: hooks, caches and everything else work as ever.
 * Weights are sent once and kept there, until nothing in the page refers to them or no compiled graph is left; tokens and other numbers are sent
 * with each run, and results are handed over without a copy. A worker that was killed, or in which onnxruntime failed, is replaced at the next run.
 * @throws ArgumentError for wrong options; GlassformerError where there are no workers: in Node, whose engine is beside the event loop already
 */
export function workerBackend(options: WebBackendOptions = {}): WorkerBackend {
  return workerBackendOver(newWorker, options);
}

/** Written so that bundlers see which files to build: each with one build of the runtime. */
function newWorker({ device }: WebBackendOptions): Worker {
  return device === "webgpu"
    ? new Worker(new URL("./ort-webgpu-worker.js", import.meta.url), { type: "module" })
    : new Worker(new URL("./ort-wasm-worker.js", import.meta.url), { type: "module" });
}
