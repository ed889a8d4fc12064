/** Whether a worker lives: it holds a lock for as long as it does, which its page gets once the worker is gone. There is no event for that. */

/** A name for a worker's lock; undefined where there are no locks. */
export function lifeLock(): string | undefined {
  return navigator.locks && `glassformer worker ${crypto.randomUUID()}`;
}

/** In the worker: takes the lock and never gives it back. */
export async function holdLock(name: string | undefined): Promise<void> {
  if (name === undefined) return;
  await new Promise<void>((held) => {
    const lock = navigator.locks.request(name, () => {
      held();
      return new Promise(() => {});
    });
    lock.catch(() => held()); // where a frame may not have locks
  });
}

/** In the page, once the worker holds the lock: `then` runs when the worker is gone. */
export function onceGone(name: string | undefined, then: () => void): void {
  if (name !== undefined) void navigator.locks.request(name, then).catch(() => {});
}
