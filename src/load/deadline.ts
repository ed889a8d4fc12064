/**
 * Time limits that hold. Node 20 lets the garbage collector take `AbortSignal.timeout` out of `AbortSignal.any`, and a
 * request that lost its signal so is waited for without end: here the timer, the controller and the promise are our own.
 */

/** What a timer takes; it would run out at once beyond. */
const LONGEST_MS = 2 ** 31 - 1;

/** A limit ran out. */
export class OutOfTime extends Error {
  override name = "OutOfTime";
}

/**
 * What `work` resolves to, if it does within `ms`. Its signal is aborted once it has not, or once `outer` is.
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
