/** Waiting for what a caller's code promises, and no longer than its signal says. */

/**
 * What a promise gives, or the signal's reason as soon as it is aborted, whatever becomes of the promise then. Nothing is
 * left listening on the signal afterwards.
 */
export async function untilAborted<T>(promised: Promise<T> | T, signal: AbortSignal | undefined): Promise<T> {
  if (!signal || !isPromise(promised)) return promised;
  let stop: () => void = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([promised, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** Whether a value is a promise, whoever made it. */
export function isPromise(value: unknown): value is Promise<unknown> {
  return (
    (typeof value === "object" || typeof value === "function") &&
    value !== null &&
    typeof (value as { then?: unknown }).then === "function"
  );
}
