/** What the model writes after the prompt, token by token. */
import { useSignal } from "@preact/signals";
import { continuation, stopContinuation } from "./computing.ts";
import { FieldInput } from "./field.tsx";
import { sentence } from "./latest.ts";
import { described, modelStatus, state } from "./store.ts";

export function Continuation() {
  const options = useSignal<Readonly<Record<string, unknown>>>({ maxNewTokens: 30 });
  const text = useSignal("");
  const of = useSignal("");
  const isRunning = useSignal(false);
  const problem = useSignal("");
  const start = async () => {
    isRunning.value = true;
    problem.value = "";
    text.value = "";
    of.value = state.peek().prompt;
    try {
      await continuation(options.peek(), (more) => {
        text.value = more;
      });
    } catch (error) {
      problem.value = sentence(error);
    }
    isRunning.value = false;
  };
  const fields = described.value?.generation ?? [];
  return (
    <details class="continuation">
      <summary>Continue the prompt</summary>
      <form
        class="fields-of"
        onSubmit={(event) => {
          event.preventDefault();
          void start();
        }}
      >
        {fields.map((field) => (
          <FieldInput
            key={field.name}
            of="generation"
            field={field}
            value={options.value[field.name]}
            onChange={(value) => {
              options.value = { ...options.value, [field.name]: value };
            }}
          />
        ))}
        <div class="start">
          {isRunning.value ? (
            <button type="button" onClick={stopContinuation}>
              Stop
            </button>
          ) : (
            <button type="submit" class="main" disabled={modelStatus.value.is !== "ready"}>
              Continue
            </button>
          )}
        </div>
      </form>
      {problem.value && (
        <p class="problem" role="alert">
          {problem.value}
        </p>
      )}
      {text.value && (
        <p class="written" aria-live="polite">
          {of.value}
          <mark>{text.value}</mark>
        </p>
      )}
    </details>
  );
}
