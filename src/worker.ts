/** glassformer's engine in a worker, so that a page stays free while it computes. */
import { defaultEngine } from "./engine/default.ts";
import type { Device } from "./engine/devices.ts";
import type { WebBackendOptions } from "./engine/ort-web-runtime.ts";
import { type WorkerBackend, workerBackend } from "./engine/worker-backend.ts";
import { platform, usePlatform } from "./platform.ts";

export type { WebBackendOptions, WorkerBackend };
export { workerBackend };

/** The workers that `runInWorker` started. */
export interface Workers {
  /** Ends them and frees their memory, WebAssembly's included. The next run starts another. */
  close(): void;
}

/**
 * Makes everything that is run from here on run in a worker: models that are opened later (one worker for each device that they ask for) and
 * `compute()`. Models that were opened before keep their engine.
 * @param options the workers' threads
 * @throws ArgumentError for wrong options; GlassformerError where there are no workers
 */
export function runInWorker(options: Pick<WebBackendOptions, "threads"> = {}): Workers {
  const backends = new Map<Device, WorkerBackend>();
  const backend = (device: Device = "cpu") => {
    const made = backends.get(device) ?? workerBackend({ ...options, device });
    backends.set(device, made);
    return made;
  };
  backend();
  usePlatform({ ...platform(), engine: defaultEngine, backend });
  return {
    close: () => {
      for (const made of backends.values()) made.close();
    },
  };
}
