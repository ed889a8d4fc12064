/** Sessions of a worker: the page sends graphs and numbers, and gets numbers back. */
import type { NDArray } from "../tensor/array.ts";
import { GlassformerError } from "../tensor/errors.ts";
import { checkOptions } from "../tensor/options.ts";
import type { Backend, Session } from "./backend.ts";
import type { Feed } from "./feeds.ts";
import { WEB_OPTIONS, webTraits } from "./ort-web-runtime.ts";
import { placed, type WebBackendOptions } from "./ort-web-settings.ts";
import { RunningWorker } from "./running-worker.ts";

/** A backend with a worker of its own. */
export interface WorkerBackend extends Backend {
  /** Ends the worker and frees its memory, WebAssembly's included. What runs fails; the next run starts another worker. */
  close(): void;
}

/** Makes a worker that serves runs (`worker-side.ts`), with the build of the runtime that the device needs. */
export type NewWorker = (options: WebBackendOptions) => Worker;

/** `workerBackend` over workers that are made by `newWorker`. */
export function workerBackendOver(newWorker: NewWorker, options: WebBackendOptions): WorkerBackend {
  checkOptions("workerBackend", options, WEB_OPTIONS);
  if (typeof Worker === "undefined") {
    throw new GlassformerError(
      "workerBackend needs a page's Worker, which is not there: in Node use nodeBackend(), which does not hold up the event loop.",
    );
  }
  let current: RunningWorker | undefined;
  const running = (): RunningWorker => {
    if (!current?.alive) current = new RunningWorker(started(newWorker, options), placed(options));
    return current;
  };
  return {
    ...webTraits(options.device ?? "cpu"),
    name: "onnxruntime-web in a worker",
    async createSession(model, outputs) {
      const session = new WorkerSession(running, model, outputs);
      await session.compiled();
      return session;
    },
    close: () => current?.end("close() was called"),
  };
}

/** @throws GlassformerError where the page may not have workers */
function started(newWorker: NewWorker, options: WebBackendOptions): Worker {
  try {
    return newWorker(options);
  } catch (cause) {
    throw new GlassformerError(
      `The worker that computes could not be started (${(cause as Error).message}): the page and its scripts must be of one origin, and a sandboxed frame needs allow-same-origin. Without a worker, use webBackend().`,
      { cause },
    );
  }
}

/** A compiled graph in the worker that runs now: in another one it is compiled again. */
class WorkerSession implements Session {
  private readonly running: () => RunningWorker;
  private readonly model: Uint8Array;
  private readonly outputs: readonly string[];
  private at: { readonly worker: RunningWorker; readonly session: Promise<number> } | undefined;

  constructor(running: () => RunningWorker, model: Uint8Array, outputs: readonly string[]) {
    this.running = running;
    this.model = model;
    this.outputs = outputs;
  }

  async compiled(): Promise<{ readonly worker: RunningWorker; readonly session: number }> {
    const worker = this.running();
    if (this.at?.worker !== worker) this.at = { worker, session: worker.compile(this.model, this.outputs) };
    return { worker, session: await this.at.session };
  }

  async run(feeds: ReadonlyMap<string, Feed>, fixed?: ReadonlySet<string>): Promise<NDArray[]> {
    const { worker, session } = await this.compiled();
    return worker.run(session, feeds, fixed);
  }

  async release(): Promise<void> {
    const at = this.at;
    this.at = undefined;
    if (at?.worker.alive) await at.worker.release(await at.session);
  }
}
