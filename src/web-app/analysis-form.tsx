/** The form of the analysis that is shown, made from its options' records. */
import type { Field } from "../options/fields.ts";
import { holds } from "../options/settle.ts";
import { runAgain } from "./computing.ts";
import type { DescribedAnalysis } from "./described.ts";
import { FieldInput } from "./field.tsx";
import { ProgressLine } from "./progress-line.tsx";
import { analysis, change, modelStatus, outdated, readsPrompt, result, running, state } from "./store.ts";

export function AnalysisForm() {
  const one = analysis.value;
  if (!one) return null;
  const { options } = state.value;
  const fields = one.fields.filter((field) => !(field.name === "prompt" && field.type === "prompt"));
  const shown = fields.filter((field) => applies(field, one, options));
  const set = (name: string, value: unknown, typed: boolean) => {
    const { [name]: _, ...others } = state.peek().options;
    change({ options: value === undefined ? others : { ...others, [name]: value }, ...staysRun(one) }, typed);
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
        <button type="button" class="main" disabled={!ready} onClick={start}>
          {fresh ? "Run again" : "Run"}
        </button>
      )}
      {Object.keys(one.example).length > 0 && (
        <button type="button" onClick={example}>
          Example
        </button>
      )}
      {one.model !== undefined && one.model !== state.value.model && (
        <button type="button" onClick={() => change({ model: one.model! })}>
          There is more to see in {one.model}: load it
        </button>
      )}
      <ProgressLine running={isRunning} progress={running.value?.progress} />
    </div>
  );
}

/** Whether an option applies with what the others are now. */
function applies(field: Field, one: DescribedAnalysis, options: Readonly<Record<string, unknown>>): boolean {
  const filled = Object.fromEntries(
    one.fields.map(({ name, type, default: standard }) => [
      name,
      options[name] ?? (type === "flag" ? false : standard),
    ]),
  );
  return field.only?.every((condition) => holds(condition, filled)) ?? true;
}
