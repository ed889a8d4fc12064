/** What the worker does: the library answers, in a thread of its own, so that the page can be used while a model computes. */
import "./worker-platform.ts";
import { holdLock } from "../engine/worker-life.ts";
import { engineFailure } from "./engine-failure.ts";
import type { FromWorker, TaskName, ToWorker } from "./messages.ts";
import { HANDLERS } from "./tasks.ts";

const running = new Map<number, AbortController>();
const post = (message: FromWorker) => postMessage(message);

/** Does what a message of the page asks for. */
export function answer({ data }: MessageEvent<ToWorker>): void {
  if ("lock" in data) void holdLock(data.lock).then(() => post({ lives: true }));
  else if ("cancel" in data) running.get(data.id)?.abort();
  else void run(data.id, data.task, data.ask);
}

async function run(id: number, task: TaskName, ask: unknown): Promise<void> {
  const control = new AbortController();
  running.set(id, control);
  const handler = HANDLERS[task] as (ask: unknown, running: object) => Promise<unknown>;
  try {
    const say = (event: unknown) => post({ id, event });
    post({ id, answer: await handler(ask, { signal: control.signal, say }) });
  } catch (error) {
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    post({ id, error: { name, message } });
  } finally {
    running.delete(id);
    const failure = engineFailure();
    if (failure) post({ ends: failure });
  }
}
