/** The state in the page's address, with the browser's Back and Forward. One that is too long for an address is in the history's entry itself. */
import { effect } from "@preact/signals";
import { sentence } from "./latest.ts";
import { fragmentOf, LONGEST_LINK, stateOf } from "./link.ts";
import { type State, stateFrom } from "./state.ts";
import { changedBy, linkProblem, state } from "./store.ts";

/** What an entry of the history holds, as the browser stores it. */
interface Entry {
  readonly long?: State;
}

/** The state of the address. Another address while it is read wins. */
async function readAddress(): Promise<void> {
  const { hash } = location;
  try {
    const { long } = (history.state ?? {}) as Entry;
    const found = long ? stateFrom(long) : await stateOf(hash);
    if (hash !== location.hash) return;
    linkProblem.value = "";
    shown = hash;
    read = found;
    changedBy.value = "step";
    state.value = found;
  } catch (error) {
    linkProblem.value = sentence(error);
  }
}

/** The fragment that the address has, and the state that was read from it. */
let shown: string | undefined;
let read: State | undefined;
let last: Promise<void> = Promise.resolve();

/** Reads the address, and from then on writes every change of the state to it. */
export async function followAddress(): Promise<void> {
  await readAddress();
  shown = location.hash;
  addEventListener("popstate", () => void readAddress());
  let wasTyping = false;
  let isStep = false;
  effect(() => {
    const now = state.value;
    const by = changedBy.value;
    isStep ||= by === "step" || (by === "typing" && !wasTyping);
    wasTyping = by === "typing";
    if (now === read) {
      isStep = false;
      return;
    }
    last = last.then(async () => {
      const fragment = await fragmentOf(now);
      if (now !== state.peek()) return;
      const does = isStep ? "pushState" : "replaceState";
      isStep = false;
      if (fragment === shown) return;
      const isLong = fragment.length > LONGEST_LINK;
      shown = isLong ? "" : fragment;
      const address = `${location.pathname}${location.search}${shown}`;
      const entry: Entry = isLong ? { long: now } : {};
      history[does](entry, "", address);
    });
  });
}
