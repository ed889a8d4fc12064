/** One tab downloads a file at a time: the others wait for it, and see how far it is. */

const LOOK_AGAIN_MS = 500;

/** What a tab that waits can see of another's download. */
export interface Watching {
  readonly signal: AbortSignal | undefined;
  /** The bytes that are stored by now. */
  readonly bytes: () => Promise<number>;
  readonly onBytes: (bytes: number) => void;
  /** How long the other's download may bring nothing before this tab no longer waits for it. */
  readonly patienceMs: number;
}

/**
 * Runs `work` while no other tab or worker of this site has the lock of that name.
 * @param work gets whether it has the lock: not if another tab has it, but its download no longer moves
 */
export async function inTurn<T>(name: string, watching: Watching, work: (alone: boolean) => Promise<T>): Promise<T> {
  const locks = globalThis.navigator?.locks;
  if (!locks) return work(true);
  const { signal } = watching;
  const wait = new AbortController();
  const stop = () => wait.abort(signal?.reason);
  signal?.throwIfAborted();
  signal?.addEventListener("abort", stop, { once: true });
  const stalled = new Error("the other tab's download has stalled");
  let has = false;
  const watch = watchBytes(watching, () => wait.abort(stalled));
  try {
    return await locks.request(name, { signal: wait.signal }, () => {
      has = true;
      clearInterval(watch);
      return work(true);
    });
  } catch (error) {
    if (has || error !== stalled) throw error;
    return work(false);
  } finally {
    clearInterval(watch);
    signal?.removeEventListener("abort", stop);
  }
}

function watchBytes({ bytes, onBytes, patienceMs }: Watching, onStalled: () => void) {
  let last = { bytes: 0, at: performance.now() };
  return setInterval(async () => {
    const now = await bytes().catch(() => 0);
    if (now !== last.bytes) {
      last = { bytes: now, at: performance.now() };
      onBytes(now);
    } else if (performance.now() - last.at > patienceMs) onStalled();
  }, LOOK_AGAIN_MS);
}

/** Runs `work` if nobody has the lock of that name. @returns whether it ran */
export async function ifFree(name: string, work: () => Promise<void>): Promise<boolean> {
  const locks = globalThis.navigator?.locks;
  if (!locks) return work().then(() => true);
  return locks.request(name, { ifAvailable: true }, async (lock) => {
    if (lock) await work();
    return lock !== null;
  });
}
