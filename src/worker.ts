/** glassformer's engine in a worker, so that a page stays free while it computes. */
import type { WebBackendOptions } from "./engine/ort-web-settings.ts";
import { runInWorkers, type Workers } from "./engine/run-in-workers.ts";
import { workerBackend } from "./engine/worker-backend.ts";

export type { WebBackendOptions } from "./engine/ort-web-settings.ts";
export type { Workers } from "./engine/run-in-workers.ts";
export type { WorkerBackend } from "./engine/worker-sessions.ts";
export { workerBackend };

/**
 * Makes everything that is run from here on run in a worker: models that are opened later (one worker for each device that they ask for) and
 * `compute()`. Models that were opened before keep their engine.
 * @param options the workers' threads, and where their runtime is
 * @throws ArgumentError for wrong options; GlassformerError where there are no workers
 */
export function runInWorker(options: Omit<WebBackendOptions, "device"> = {}): Workers {
  return runInWorkers(workerBackend, options);
}
