/** What is to be known of the model: what is wrong with it or its worker and what can be done, and what its files say that a reader must know. */
import { leaveWanted, loadAgain } from "./loading.ts";
import { described, modelStatus, state, wanted } from "./store.ts";

export function ModelNews() {
  const status = modelStatus.value;
  return (
    <section class="model-news" aria-label="The model">
      {status.is === "failed" && <Problem why={status.why} again="Try again" />}
      {status.is === "ended" && <Problem why={`${status.why} Nothing that you entered is lost.`} again="Start again" />}
      <WantedProblem />
      {status.is === "ready" && <Notes />}
    </section>
  );
}

function Problem({ why, again }: { readonly why: string; readonly again: string }) {
  return (
    <p class="problem" role="alert">
      {why}{" "}
      <button type="button" onClick={() => void loadAgain()}>
        {again}
      </button>
    </p>
  );
}

/** Why a model that was chosen is not there. */
function WantedProblem() {
  const { why, again } = wanted.value ?? {};
  if (!why) return null;
  return (
    <p class="problem" role="alert">
      {why} {modelStatus.value.is === "ready" && `The page still has ${state.value.model}. `}
      <button type="button" onClick={again}>
        Try again
      </button>{" "}
      <button type="button" onClick={leaveWanted}>
        Close
      </button>
    </p>
  );
}

function Notes() {
  const notes = described.value?.notes ?? [];
  if (notes.length === 0) return null;
  return (
    <ul class="notes">
      {notes.map((note) => (
        <li key={note}>{note}</li>
      ))}
    </ul>
  );
}
