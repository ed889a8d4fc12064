/** Asks the worker, and hears its answers. */
import type { Failure, FromWorker, TaskName, Tasks, ToWorker } from "./messages.ts";

interface Waiting {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly hear: ((event: unknown) => void) | undefined;
}

export class Asking {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #last = 0;

  constructor(worker: Worker) {
    this.#worker = worker;
    worker.addEventListener("message", ({ data }: MessageEvent<FromWorker>) => this.#hear(data));
    worker.addEventListener("error", (event) => {
      const reason = event.message || "its script could not be loaded";
      for (const { reject } of this.#waiting.values()) {
        reject(new Error(`The page's worker ended (${reason}): reload the page.`));
      }
      this.#waiting.clear();
    });
  }

  /** @throws what the task threw, or the signal's reason */
  ask<K extends TaskName>(
    task: K,
    ask: Tasks[K]["ask"],
    { signal, hear }: { readonly signal?: AbortSignal; readonly hear?: (event: Tasks[K]["event"]) => void } = {},
  ): Promise<Tasks[K]["answer"]> {
    signal?.throwIfAborted();
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
    this.#worker.postMessage(message);
  }

  #hear(message: FromWorker): void {
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
}

function errorOf({ name, message }: Failure): Error {
  return Object.assign(new Error(message), { name });
}
