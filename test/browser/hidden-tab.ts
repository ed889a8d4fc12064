/** A tab that can really be hidden and frozen: those that Playwright drives count as visible always. */
import type { Browser } from "playwright-core";
import { targetSession } from "./target-session.ts";

interface Evaluated {
  readonly result: { readonly value?: unknown };
  readonly exceptionDetails?: unknown;
}

export interface PlainTab {
  /** Puts it in front of the others, which are hidden then. */
  show(): Promise<void>;
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  /** The value of an expression there. */
  evaluate(expression: string): Promise<unknown>;
}

/** @returns what opens tabs of one window, each in front of those before it */
export async function plainTabs(browser: Browser): Promise<(url: string) => Promise<PlainTab>> {
  const session = await browser.newBrowserCDPSession();
  const { browserContextId } = await session.send("Target.createBrowserContext");
  return async (url) => {
    const { targetId } = await session.send("Target.createTarget", { url, browserContextId });
    const send = await targetSession(session, targetId);
    const live = async (state: string) => void (await send("Page.setWebLifecycleState", { state }));
    return {
      show: async () => void (await session.send("Target.activateTarget", { targetId })),
      freeze: () => live("frozen"),
      thaw: () => live("active"),
      async evaluate(expression) {
        const how = { expression, awaitPromise: true, returnByValue: true };
        const { result, exceptionDetails } = await send<Evaluated>("Runtime.evaluate", how);
        if (exceptionDetails) throw new Error(JSON.stringify(exceptionDetails));
        return result.value;
      },
    };
  };
}
