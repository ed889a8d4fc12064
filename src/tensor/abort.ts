/** Waits for a caller's promise, but no longer than the caller's signal allows. */

/**
 * A promise's value, or the signal's reason once it is aborted, whatever becomes of the promise then. Nothing keeps
 * listening to the signal afterwards.
 * @param grace milliseconds that the promise still gets after the abort, for work that should end properly
 */
export async function untilAborted<T>(
  promised: Promise<T> | T,
  signal: AbortSignal | undefined,
  grace = 0,
): Promise<T> {
  if (!signal || !isPromise(promised)) return promised;
  let stop: () => void = () => {};
  let timer: ReturnType<typeof setTimeout> | undefined;
  const aborted = new Promise<never>((_, reject) => {
    const end = () => reject(signal.reason);
    stop = () => {
      if (grace > 0) timer = setTimeout(end, grace);
      else end();
    };
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([promised, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
    clearTimeout(timer);
  }
}

/** Whether a value is a promise, from any library. */
export function isPromise(value: unknown): value is Promise<unknown> {
  return (
    (typeof value === "object" || typeof value === "function") &&
    value !== null &&
    typeof (value as { then?: unknown }).then === "function"
  );
}
