/**
 * Ctrl-C, a polite kill, a closed terminal. These signals are not handled, so the system ends the process immediately,
 * however busy it is: a handler in JavaScript would wait for the event loop. The exception is work that has something to
 * save, and only from the moment it has it.
 */
import type { ReportFile } from "../report/report-files.ts";
import { writeFolder, writeWhole } from "./output-files.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

export interface Guard {
  /** Aborted by the first signal after `listen` was called. */
  readonly signal: AbortSignal;
  /** From now on there is something to save: a signal gives the work time to finish cleanly. */
  readonly listen: () => void;
}

/**
 * Does work that may have something to save. After a signal the process ends with that signal as soon as the work has
 * finished; a second signal ends it immediately.
 */
export async function guarded<T>(work: (guard: Guard) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  let came: NodeJS.Signals | undefined;
  const leave = () => {
    for (const signal of SIGNALS) process.off(signal, onSignal);
  };
  const end = () => {
    leave();
    if (came) process.kill(process.pid, came);
  };
  const onSignal = (signal: NodeJS.Signals) => {
    if (came) return end();
    came = signal;
    controller.abort(new Error(`stopped by ${signal}`));
    // In a separate turn of the event loop, so that a second signal that came in the meantime is seen first.
    setImmediate(leave);
  };
  const listen = () => {
    leave();
    for (const signal of SIGNALS) process.on(signal, onSignal);
  };
  try {
    return await work({ signal: controller.signal, listen });
  } finally {
    end();
  }
}

/** Like `writeWhole`, or `writeFolder` for several files, but leaves nothing half-written even after a signal. */
export function writeGuarded(path: string, content: string | Uint8Array | readonly ReportFile[]): Promise<void> {
  return guarded(({ signal, listen }) => {
    listen();
    const whole = typeof content === "string" || content instanceof Uint8Array;
    return whole ? writeWhole(path, content, signal) : writeFolder(path, content, signal);
  });
}
