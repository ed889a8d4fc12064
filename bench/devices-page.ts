/** The page of `bench -- devices`: opens a model on a device, and times it there. */
import { Engine } from "../src/engine/engine.ts";
import type { WebBackendOptions } from "../src/engine/ort-web-settings.ts";
import { HookedTransformer, urlFiles, webBackend } from "../src/web.ts";
import { workerBackend } from "../src/worker.ts";
import { BUNDLED, randomOn, type SizeName, type Timed, timed } from "./devices-jobs.ts";

export interface Where extends Pick<WebBackendOptions, "device" | "threads"> {
  /** Whether runs are in a worker. */
  readonly worker?: boolean;
  readonly isSlow?: boolean;
}

const bench = {
  timed(name: SizeName, { worker = false, isSlow = false, ...options }: Where): Promise<Timed> {
    const engine = new Engine(worker ? workerBackend(options) : webBackend(options));
    return timed(async () => {
      if (name !== BUNDLED) return randomOn(name, engine);
      const folder = new URL(`/models/${BUNDLED}/`, location.href).href;
      return HookedTransformer.fromPretrained(folder, { files: await urlFiles(folder), engine });
    }, isSlow);
  },
  /** The graphics processor, by its adapter's own words; null if there is none. */
  async adapter() {
    const info = (await navigator.gpu?.requestAdapter())?.info;
    if (!info) return null;
    const { vendor, architecture, device, description, isFallbackAdapter } = info;
    return { vendor, architecture, device, description, isSoftware: isFallbackAdapter };
  },
};
export type Bench = typeof bench;
Object.assign(globalThis, { bench });
