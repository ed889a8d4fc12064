/** One kind of task, of which only the last is wanted. */
import { WorkerEnded } from "./asking.ts";
import type { TaskName, Tasks } from "./messages.ts";
import { asking } from "./store.ts";

export class Latest<K extends TaskName> {
  readonly #task: K;
  #control: AbortController | undefined;

  constructor(task: K) {
    this.#task = task;
  }

  /** The answer; undefined if another was asked for meanwhile, it was stopped, or the worker ended. @throws what the task threw */
  async ask(ask: Tasks[K]["ask"], hear?: (event: Tasks[K]["event"]) => void): Promise<Tasks[K]["answer"] | undefined> {
    this.stop();
    const control = new AbortController();
    this.#control = control;
    try {
      return await asking.ask(this.#task, ask, { signal: control.signal, ...(hear ? { hear } : {}) });
    } catch (error) {
      if (control.signal.aborted || error instanceof WorkerEnded) return undefined;
      throw error;
    }
  }

  stop(): void {
    this.#control?.abort();
  }
}

export const sentence = (error: unknown): string => (error instanceof Error ? error.message : String(error));
