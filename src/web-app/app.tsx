/** The page. */
import { AnalysisForm } from "./analysis-form.tsx";
import { whyUnchanged } from "./changed-run.ts";
import { Changes } from "./changes.tsx";
import { Continuation } from "./continuation.tsx";
import { FindingView } from "./finding-view.tsx";
import { ModelChooser } from "./model-chooser.tsx";
import { ModelNews } from "./model-news.tsx";
import { PromptField } from "./prompt-field.tsx";
import { SaveFinding, Share } from "./saving.tsx";
import { changesOn, UNTOUCHED } from "./state.ts";
import {
  analysis,
  change,
  described,
  linkProblem,
  outdated,
  problem,
  readsPrompt,
  result,
  running,
  state,
} from "./store.ts";

export function App() {
  return (
    <>
      <header class="top">
        <a class="name" href="./">
          glassformer
        </a>
        <ModelChooser />
        <Share />
      </header>
      <ModelNews />
      <div class="columns">
        <Questions />
        <main>
          {linkProblem.value && (
            <p class="problem" role="alert">
              {linkProblem.value}
            </p>
          )}
          <PromptField />
          <Continuation />
          <Changes />
          <AnalysisForm />
          <RunOf />
          <Found />
        </main>
      </div>
    </>
  );
}

/** One view alone, for other people's pages. */
export function Embedded() {
  const found = result.value?.finding;
  return (
    <main class="embedded">
      <ModelNews />
      {problem.value && <p class="problem">{problem.value}</p>}
      {found && <FindingView finding={found} only remembered />}
      <p class="count">
        <a href={`./${location.hash}`} target="_blank" rel="noopener">
          {found?.question ?? "Open in glassformer"}
        </a>
      </p>
    </main>
  );
}

function Found() {
  const found = result.value;
  const isOther = found !== undefined && found.finding.analysis !== state.value.analysis;
  return (
    <section class="found" aria-label="Finding" aria-busy={running.value !== undefined}>
      {problem.value && (
        <p class="problem" role="alert">
          {problem.value}
        </p>
      )}
      {found && !isOther && (
        <div
          class={outdated.value ? "outdated" : ""}
          data-of={found.stored ? "stored" : "computed"}
          data-analysis={found.finding.analysis}
        >
          <FindingView finding={found.finding} stored={found.stored === true} remembered />
          <SaveFinding finding={found.finding} inParts={!found.stored} />
        </div>
      )}
    </section>
  );
}

/** Which run the finding is of, where there are changes. */
function RunOf() {
  const one = analysis.value;
  const changes = changesOn(state.value);
  if (!one || changes.length === 0) return null;
  const why = whyUnchanged(one, changes);
  if (why) return <p class="run-of">Without the changes of the run: {why}.</p>;
  const { withoutChanges } = state.value;
  return (
    <p class="run-of">
      <label>
        <input
          type="checkbox"
          checked={withoutChanges}
          onChange={(event) => change({ withoutChanges: event.currentTarget.checked })}
        />{" "}
        Without changes
      </label>{" "}
      {withoutChanges
        ? "What follows is of the run as it is."
        : "What follows is of the run with the changes that are on."}
    </p>
  );
}

/** All analyses, by their questions. */
function Questions() {
  const all = described.value?.analyses ?? [];
  const choose = (name: string) => {
    const next = all.find((one) => one.name === name);
    change({ analysis: name, options: {}, run: readsPrompt(next), ...UNTOUCHED });
  };
  return (
    <nav class="questions" aria-label="Questions">
      <ul>
        {all.map(({ name, question }) => (
          <li key={name}>
            <button
              type="button"
              title={question}
              aria-current={name === analysis.value?.name ? "page" : undefined}
              onClick={() => choose(name)}
            >
              {name.replaceAll("-", " ")}
            </button>
          </li>
        ))}
      </ul>
      <select
        aria-label="Question"
        value={state.value.analysis}
        onChange={(event) => choose(event.currentTarget.value)}
      >
        {all.map(({ name }) => (
          <option key={name} value={name}>
            {name.replaceAll("-", " ")}
          </option>
        ))}
      </select>
    </nav>
  );
}
