/**
 * Reliable time limits. In Node 20 the garbage collector can remove `AbortSignal.timeout` from `AbortSignal.any`, and a
 * request that lost its signal this way is waited for endlessly: here the timer, the controller and the promise are our own.
 */

/** The longest delay of a timer: beyond it, timers fire immediately. */
const LONGEST_MS = 2 ** 31 - 1;

/** A time limit ran out. */
export class OutOfTime extends Error {
  override name = "OutOfTime";
}

/**
 * What `work` resolves to, if it does so within `ms`. Its signal is aborted after that, or once `outer` is.
 * @throws OutOfTime with the message `why` after `ms`; the reason of `outer` once that is aborted
 */
export function within<T>(
  ms: number,
  why: string,
  outer: AbortSignal | undefined,
  work: (stop: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      outer?.removeEventListener("abort", stopped);
    };
    const fail = (reason: unknown) => {
      end();
      reject(reason);
      controller.abort(reason);
    };
    const stopped = () => fail(outer?.reason);
    const timer = setTimeout(() => fail(new OutOfTime(why)), Math.min(ms, LONGEST_MS));
    if (outer?.aborted) return stopped();
    outer?.addEventListener("abort", stopped, { once: true });
    work(controller.signal).then(
      (value) => {
        end();
        resolve(value);
      },
      (error) => {
        end();
        reject(error);
      },
    );
  });
}

/** Waits. @throws the signal's reason once it is aborted */
export async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await within(ms, "", signal, () => new Promise<never>(() => {})).catch((error) => {
    if (!(error instanceof OutOfTime)) throw error;
  });
}
