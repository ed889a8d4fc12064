/** Loads models: the state's, and another that is to take its place once it is there. */
import { batch, effect, untracked } from "@preact/signals";
import { filesOf } from "./chosen.ts";
import { Latest, sentence } from "./latest.ts";
import type { Loaded, Progress } from "./messages.ts";
import { START, type State, UNTOUCHED } from "./state.ts";
import { asking, change, described, modelStatus, state, storedDescription, wanted } from "./store.ts";

const loading = new Latest("load");
const describing = new Latest("describe");

/** The model that is there for the state, or on its way, and its device. */
let current: string | undefined;

const keyOf = ({ model, device }: State) => JSON.stringify([model, device]);

/** Loads the state's model whenever it, or its device, is another. */
export function followModel(): void {
  effect(() => {
    if (keyOf(state.value) !== current) untracked(() => void loadAgain());
  });
}

/** Loads the state's model, in another worker if that has ended. */
export async function loadAgain(): Promise<void> {
  const { model } = state.peek();
  current = keyOf(state.peek());
  if (!wanted.peek()?.why) wanted.value = undefined;
  if (modelStatus.peek().is === "ended") asking.start();
  modelStatus.value = { is: "loading" };
  try {
    const found = await opened(model, (progress) => {
      modelStatus.value = { is: "loading", progress };
    });
    if (!found) return;
    take(found);
  } catch (error) {
    modelStatus.value = { is: "failed", why: sentence(error) };
  }
}

/** Opens a model for the page. The one that is there is used until then, and if this one cannot be opened. @param more what else changes with it */
export async function choose(model: string, more: Partial<State> = { options: {}, ...UNTOUCHED }): Promise<void> {
  leaveWanted();
  const isThere = modelStatus.peek().is === "ready";
  if (model === state.peek().model) return isThere ? undefined : loadAgain();
  if (!isThere) return change({ model, ...more });
  const again = () => void choose(model, more);
  wanted.value = { model, again };
  try {
    const found = await opened(model, (progress) => {
      wanted.value = { model, again, progress };
    });
    if (!found) return;
    batch(() => {
      current = keyOf({ ...state.peek(), model });
      wanted.value = undefined;
      take(found);
      change({ model, ...more });
    });
  } catch (error) {
    wanted.value = { model, again, why: sentence(error) };
  }
}

/** Opens a model. Its description is stored with the page if it is the one that the page starts with. */
async function opened(name: string, hear: (progress: Progress) => void): Promise<Loaded | undefined> {
  stop();
  const files = filesOf(name);
  const { device, analysis } = state.peek();
  const on = await loading.ask({ name, device, first: analysis, ...(files ? { files } : {}) }, hear);
  if (!on) return undefined;
  const stored = name === START.model ? storedDescription.peek() : undefined;
  const found = stored ?? (await describing.ask({ model: name }));
  return found && { described: found, on };
}

function stop(): void {
  loading.stop();
  describing.stop();
}

function take(found: Loaded): void {
  described.value = found.described;
  modelStatus.value = { is: "ready", on: found.on };
}

/** Ends the wish for another model. */
export function leaveWanted(): void {
  if (!wanted.peek()) return;
  if (!wanted.peek()!.why) stop();
  wanted.value = undefined;
}

/** Stops the download of a model. */
export function stopLoading(): void {
  if (wanted.peek()) leaveWanted();
  else {
    stop();
    modelStatus.value = { is: "failed", why: "Loading was stopped: what has arrived is stored." };
  }
}
