/** From here on, everything is run in workers. */
import { platform, usePlatform } from "../platform.ts";
import { defaultEngine } from "./default.ts";
import type { Device } from "./devices.ts";
import type { WebBackendOptions } from "./ort-web-settings.ts";
import type { WorkerBackend } from "./worker-sessions.ts";

/** The workers that `runInWorker` started. */
export interface Workers {
  /** Ends them and frees their memory, WebAssembly's included. The next run starts another. */
  close(): void;
}

/** `runInWorker` over backends that `workerBackend` makes. */
export function runInWorkers(
  workerBackend: (options: WebBackendOptions) => WorkerBackend,
  options: Omit<WebBackendOptions, "device">,
): Workers {
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
