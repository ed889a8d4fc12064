/**
 * Ctrl-C, a polite kill, a terminal that is closed. Nobody handles these signals, so the system ends the process at once,
 * however busy it is: a handler in JavaScript would wait for the event loop. The exception is work that has something to
 * keep, and only from the moment on when it has.
 */
import { writeWhole } from "./output-files.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

export interface Guard {
  /** Aborted by the first signal after `listen`. */
  readonly signal: AbortSignal;
  /** From now on there is something to keep: a signal leaves the work the time to come to an end by itself. */
  readonly listen: () => void;
}

/**
 * Does work that may have something to keep. After a signal the process ends by that signal as soon as the work has
 * ended; a second signal ends it at once.
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
    // In a turn of its own: a second signal that came while nobody could look is seen first.
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

/** As `writeWhole`, leaving nothing half written behind whatever comes. */
export function writeGuarded(path: string, content: string | Uint8Array): Promise<void> {
  return guarded(({ signal, listen }) => {
    listen();
    return writeWhole(path, content, signal);
  });
}
