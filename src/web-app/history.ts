/** The state in the entries of the browser's history, for Back and Forward, and in the address, for links. */
import { effect } from "@preact/signals";
import { sentence } from "./latest.ts";
import { fragmentOf, LONGEST_LINK, stateOf } from "./link.ts";
import { changesFromStart, START, type State, stateFrom } from "./state.ts";
import { changedBy, linkProblem, open, state } from "./store.ts";

/** What an entry holds, as the browser stores it: the address is made later, and may be too long. */
interface Entry {
  readonly state: State;
}

/** The state of the entry, as text. */
let held = textOf(START);
/** Counts what begins to be read or written: what takes its time ends without effect once another has begun. */
let turn = 0;

/** Shows the state of the entry, or of its address, if a link was opened or typed. */
async function read(): Promise<void> {
  const mine = ++turn;
  const entry = history.state as Entry | null;
  try {
    const found = entry?.state ? stateFrom(entry.state) : await stateOf(location.hash);
    if (mine !== turn) return;
    held = textOf(found);
    linkProblem.value = "";
    open(found);
    if (entry?.state) await write(found);
    else history.replaceState({ state: found } satisfies Entry, "");
  } catch (error) {
    if (mine === turn) linkProblem.value = sentence(error);
  }
}

/** Writes a state to the entry, or immediately to one of its own after it, and then its address. */
async function write(now: State, isStep = false): Promise<void> {
  const mine = ++turn;
  const entry: Entry = { state: now };
  if (isStep) history.pushState(entry, "");
  const fragment = await fragmentOf(now);
  if (mine !== turn) return;
  const shown = fragment.length > LONGEST_LINK ? "" : fragment;
  history.replaceState(entry, "", `${location.pathname}${location.search}${shown}`);
}

/** Reads the address, and from then on writes every change of the state to it. */
export async function followAddress(): Promise<void> {
  await read();
  addEventListener("popstate", () => void read());
  let wasTyping = false;
  effect(() => {
    const now = state.value;
    const by = changedBy.value;
    const isStep = by === "step" || (by === "typing" && !wasTyping);
    wasTyping = by === "typing";
    const text = textOf(now);
    if (text === held) return;
    held = text;
    void write(now, isStep);
  });
}

function textOf(state: State): string {
  return JSON.stringify(changesFromStart(state));
}
