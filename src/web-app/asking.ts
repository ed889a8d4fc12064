/** Asks the worker, and hears its answers; a worker that has ended can be replaced by another. */
import { lifeLock, onceGone } from "../engine/worker-life.ts";
import type { Failure, FromWorker, Reply, TaskName, Tasks, ToWorker } from "./messages.ts";

interface Waiting {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly hear: ((event: unknown) => void) | undefined;
}

/** How long a worker may take to start, in ms: its script is 160 kB, and an event says if it could not be loaded. */
const STARTS_WITHIN = 20_000;

const LATE =
  "The worker that computes has not started for 20 seconds: the browser may have closed or blocked it, or the connection is slow.";

/** The worker ended before it answered. */
export class WorkerEnded extends Error {
  override name = "WorkerEnded";
}

export class Asking {
  readonly #make: () => Worker;
  readonly #onEnd: (why: string) => void;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #last = 0;
  #late: ReturnType<typeof setTimeout> | undefined;

  /** @param onEnd hears why nothing is computed: the worker ended, or has not started, in which case it may still do so */
  constructor(make: () => Worker, onEnd: (why: string) => void) {
    this.#make = make;
    this.#onEnd = onEnd;
    this.start();
  }

  /** Starts a worker in place of the one that there was. */
  start(): void {
    this.#worker?.terminate();
    const worker = this.#make();
    const lock = lifeLock();
    const end = (why: string) => this.#end(worker, why);
    // No event says that a worker was closed before its script ran.
    clearTimeout(this.#late);
    this.#late = setTimeout(() => this.#onEnd(LATE), STARTS_WITHIN);
    worker.addEventListener("message", ({ data }: MessageEvent<FromWorker>) => {
      clearTimeout(this.#late);
      if ("lives" in data) onceGone(lock, () => end("the browser closed it, perhaps for lack of memory"));
      else if ("ends" in data) end(data.ends);
      else this.#hear(data);
    });
    worker.addEventListener("error", (event) => {
      event.preventDefault();
      end(event.message || "its script could not be loaded");
    });
    this.#worker = worker;
    this.#post({ lock });
  }

  /** @throws what the task threw, the signal's reason, or WorkerEnded */
  ask<K extends TaskName>(
    task: K,
    ask: Tasks[K]["ask"],
    { signal, hear }: { readonly signal?: AbortSignal; readonly hear?: (event: Tasks[K]["event"]) => void } = {},
  ): Promise<Tasks[K]["answer"]> {
    signal?.throwIfAborted();
    if (!this.#worker) return Promise.reject(new WorkerEnded("The worker that computes has ended: start it again."));
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      const abort = () => {
        this.#post({ id, cancel: true });
        this.#waiting.delete(id);
        reject(signal!.reason);
      };
      const settle =
        <T>(by: (value: T) => void) =>
        (value: T) => {
          signal?.removeEventListener("abort", abort);
          by(value);
        };
      this.#waiting.set(id, {
        resolve: settle((answer) => resolve(answer as Tasks[K]["answer"])),
        reject: settle(reject),
        hear: hear as (event: unknown) => void,
      });
      signal?.addEventListener("abort", abort);
      this.#post({ id, task, ask } as ToWorker);
    });
  }

  #post(message: ToWorker): void {
    this.#worker?.postMessage(message);
  }

  #hear(message: Reply): void {
    const waiting = this.#waiting.get(message.id);
    if (!waiting) return;
    if ("event" in message) {
      waiting.hear?.(message.event);
      return;
    }
    this.#waiting.delete(message.id);
    if ("error" in message) waiting.reject(errorOf(message.error));
    else waiting.resolve(message.answer);
  }

  #end(worker: Worker, why: string): void {
    if (worker !== this.#worker) return;
    worker.terminate();
    clearTimeout(this.#late);
    this.#worker = undefined;
    const sentence = `The worker that computes has ended (${why.replace(/\.$/, "")}).`;
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    this.#onEnd(sentence);
    for (const { reject } of waiting) reject(new WorkerEnded(sentence));
  }
}

function errorOf({ name, message }: Failure): Error {
  return Object.assign(new Error(message), { name });
}
