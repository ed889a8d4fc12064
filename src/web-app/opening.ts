/** Opens what a person chose or dropped: a state that was saved, or a model's files. */
import { chosenModel } from "./chosen.ts";
import { sentence } from "./latest.ts";
import { choose } from "./loading.ts";
import { type State, stateFrom } from "./state.ts";
import { change, linkProblem } from "./store.ts";

export async function openFiles(files: readonly File[]): Promise<void> {
  const [first] = files;
  try {
    const saved = files.length === 1 ? await savedState(first) : undefined;
    linkProblem.value = "";
    if (saved) change(saved);
    else await choose(chosenModel(files));
  } catch (error) {
    linkProblem.value = `${first.name} cannot be opened: ${sentence(error)}`;
  }
}

/** The state that a file holds; undefined if it is a file of something else. @throws ArgumentError for a state that this page cannot be in */
async function savedState(file: File): Promise<State | undefined> {
  if (!/\.json$/i.test(file.name)) return undefined;
  const held = await file
    .text()
    .then(JSON.parse)
    .catch(() => undefined);
  const isState = typeof held === "object" && held !== null && "analysis" in held && "prompt" in held;
  return isState ? stateFrom(held) : undefined;
}
