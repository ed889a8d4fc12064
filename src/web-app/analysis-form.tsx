/** The form of the analysis that is shown, made from its options' records. */
import { applying, withValue } from "./applying.ts";
import { runAgain } from "./computing.ts";
import type { DescribedAnalysis } from "./described.ts";
import { FieldInput } from "./field.tsx";
import { choose } from "./loading.ts";
import { ProgressLine } from "./progress-line.tsx";
import { analysis, change, modelStatus, outdated, readsPrompt, result, running, state } from "./store.ts";

export function AnalysisForm() {
  const one = analysis.value;
  if (!one) return null;
  const { options } = state.value;
  const fields = one.fields.filter((field) => !(field.name === "prompt" && field.type === "prompt"));
  const shown = applying(fields, options);
  const set = (name: string, value: unknown, typed: boolean) => {
    change({ options: withValue(one.fields, state.peek().options, name, value), ...staysRun(one) }, typed);
  };
  return (
    <section class="asking" aria-label="Question">
      <h1>{one.question}</h1>
      <details class="about">
        <summary>About, and options</summary>
        <p>{one.description}</p>
        <form
          class="fields-of"
          onSubmit={(event) => {
            event.preventDefault();
            start();
          }}
        >
          {shown.map((field) => (
            <FieldInput
              key={`${one.name} ${field.name}`}
              field={field}
              value={options[field.name]}
              onChange={(value) => set(field.name, value, typeof value === "string")}
            />
          ))}
        </form>
      </details>
      <Start one={one} />
    </section>
  );
}

/** A change of options makes an analysis that reads the prompt run again; another waits for the button. */
const staysRun = (one: DescribedAnalysis) => (readsPrompt(one) ? {} : { run: false });

function start(): void {
  if (state.peek().run) runAgain();
  else change({ run: true });
}

function Start({ one }: { readonly one: DescribedAnalysis }) {
  const isRunning = running.value !== undefined;
  const ready = modelStatus.value.is === "ready";
  const fresh = result.value !== undefined && !outdated.value;
  const example = () => {
    const { prompt, ...others } = one.example;
    change({ options: others, run: true, ...(typeof prompt === "string" ? { prompt } : {}) });
  };
  return (
    <div class="start">
      {isRunning ? (
        <button type="button" onClick={() => change({ run: false })}>
          Stop
        </button>
      ) : (
        <button type="button" class={fresh ? "" : "main"} disabled={!ready} onClick={start}>
          {fresh ? "Run again" : "Run"}
        </button>
      )}
      {Object.keys(one.example).length > 0 && (
        <button type="button" onClick={example}>
          Example
        </button>
      )}
      {one.model !== undefined && one.model !== state.value.model && (
        <button type="button" onClick={() => void choose(one.model!, {})}>
          There is more to see in {one.model}: load it
        </button>
      )}
      <ProgressLine running={isRunning} progress={running.value?.progress} />
    </div>
  );
}
