/** Chromium's protocol with something that Playwright offers no session for: a worker, or a tab that it does not drive. */
import type { CDPSession } from "playwright-core";

interface Message {
  readonly id?: number;
  readonly result?: object;
  readonly error?: { readonly message: string };
}

/** Sends a command, and returns its result. @throws Error with what the browser refuses, or if the target goes meanwhile */
export type Send = <T = object>(method: string, params?: object) => Promise<T>;

export async function targetSession(browser: CDPSession, targetId: string): Promise<Send> {
  const { sessionId } = await browser.send("Target.attachToTarget", { targetId, flatten: false });
  const waiting = new Map<number, (answer: Message) => void>();
  browser.on("Target.receivedMessageFromTarget", ({ sessionId: from, message }) => {
    if (from !== sessionId) return;
    const answer = JSON.parse(message) as Message;
    waiting.get(answer.id ?? -1)?.(answer);
    waiting.delete(answer.id ?? -1);
  });
  browser.on("Target.detachedFromTarget", ({ sessionId: from }) => {
    if (from !== sessionId) return;
    for (const answer of waiting.values()) answer({ error: { message: "the target is gone" } });
    waiting.clear();
  });
  let last = 0;
  return async <T>(method: string, params: object = {}) => {
    const id = ++last;
    const answered = new Promise<Message>((resolve) => waiting.set(id, resolve));
    await browser.send("Target.sendMessageToTarget", { sessionId, message: JSON.stringify({ id, method, params }) });
    const { result, error } = await answered;
    if (error) throw new Error(`${method}: ${error.message}`);
    return result as T;
  };
}
