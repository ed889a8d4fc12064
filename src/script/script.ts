/**
 * glassformer as one script for pages without a bundler: all of `glassformer`, `glassformer/worker` and `glassformer/elements`, in one global.
 *
 *     <script src="node_modules/glassformer/dist/browser/glassformer.js"></script>
 *     <script>glassformer.HookedTransformer.fromPretrained("solu-1l-novels").then(…)</script>
 *
 * Everything that it loads later is found by its own address (`files.ts`).
 */
import type { Backend } from "../engine/backend.ts";
import { WEB_OPTIONS, webBackendOver } from "../engine/ort-web-runtime.ts";
import type { WebBackendOptions } from "../engine/ort-web-settings.ts";
import { runInWorkers, type Workers } from "../engine/run-in-workers.ts";
import { type WorkerBackend, workerBackendOver } from "../engine/worker-sessions.ts";
import { setHub } from "../load/web.ts";
import { usePage } from "../page-platform.ts";
import { checkOptions } from "../tensor/options.ts";
import { scriptFiles } from "./files.ts";
import { loadBuild } from "./runtime.ts";

export * from "../elements.ts";
export * from "../index.ts";
export * from "../load/web.ts";

const script = document.currentScript as HTMLScriptElement | null;
const files = scriptFiles(script?.src || document.baseURI);

/** The options with the folder of the runtime, which the script tag may name. */
function withFolder(of: string, options: WebBackendOptions): WebBackendOptions {
  checkOptions(of, options, WEB_OPTIONS);
  return { ...options, runtimeFolder: options.runtimeFolder ?? script?.dataset.runtimeFolder ?? files.runtimeFolder };
}

/** As in `glassformer`. */
export function webBackend(options: WebBackendOptions = {}): Backend {
  return webBackendOver(loadBuild, withFolder("webBackend", options));
}

/** As in `glassformer/worker`. */
export function workerBackend(options: WebBackendOptions = {}): WorkerBackend {
  return workerBackendOver(newWorker, withFolder("workerBackend", options));
}

/** As in `glassformer/worker`. */
export function runInWorker(options: Omit<WebBackendOptions, "device"> = {}): Workers {
  return runInWorkers(workerBackend, options);
}

/** A worker's script has to be of the page's origin, but may load one that is not. */
function newWorker(): Worker {
  const isOwn = new URL(files.worker).origin === location.origin;
  const passing = () => new Blob([`importScripts(${JSON.stringify(files.worker)});`], { type: "text/javascript" });
  const address = isOwn ? files.worker : URL.createObjectURL(passing());
  return new Worker(address);
}

usePage(webBackend);
setHub({ bundled: files.models });
