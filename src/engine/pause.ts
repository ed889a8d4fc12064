/** Lets a page do what waits: timers, painting, what somebody typed or clicked. */

/**
 * Waits for a turn of the event loop. Not `scheduler.yield`: what continues after that goes before timers, which would never fire.
 */
export async function pause(): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  // A timer that became due in the meantime is queued after the first message, and before the second.
  for (let hop = 0; hop < 2; hop++) {
    await new Promise<void>((resolve) => {
      port1.onmessage = () => resolve();
      port2.postMessage(null);
    });
  }
  port1.close();
}
