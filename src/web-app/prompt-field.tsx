/** The prompt, the others of its list, and its tokens as one types. */
import { useRef } from "preact/hooks";
import { visibleToken } from "../report/token-text.ts";
import { linesOf, prompts, promptsOf, splitInLines, withNewPrompt, withoutPrompt } from "./prompts.ts";
import type { State } from "./state.ts";
import { change, described, state, tokens, tokensProblem } from "./store.ts";

/** Texts to begin with: those of the analyses' examples. */
function presets(): string[] {
  const examples = described.value?.analyses.map(({ example }) => example.prompt) ?? [];
  return [...new Set(examples.filter((one) => typeof one === "string"))];
}

export function PromptField() {
  const field = useRef<HTMLTextAreaElement>(null);
  const { prompt, promptsBefore, promptsAfter } = state.value;
  const current = promptsBefore.length;
  const isOne = current + promptsAfter.length === 0;
  /** What was pressed may be gone then. */
  const show = (next: Partial<State>) => {
    change(next);
    requestAnimationFrame(() => field.current?.focus());
  };
  const others = (texts: readonly string[], from: number) =>
    texts.map((text, i) => <OtherPrompt key={from + i} text={text} at={from + i} show={show} />);
  return (
    <section class="prompt" aria-label="The prompt and its tokens">
      <div class="row">
        <label for="prompt">Prompt</label>
        <button type="button" class="quiet" onClick={() => show(withNewPrompt(state.peek()))}>
          Add a prompt
        </button>
        <Presets />
      </div>
      <ol class={isOne ? "prompts one" : "prompts"}>
        {others(promptsBefore, 0)}
        <li key="current" aria-current={isOne ? undefined : "true"}>
          <textarea
            id="prompt"
            ref={field}
            rows={2}
            spellcheck={false}
            value={prompt}
            onInput={(event) => change({ prompt: event.currentTarget.value }, true)}
          />
          {!isOne && <Remove at={current} show={show} />}
        </li>
        {others(promptsAfter, current + 1)}
      </ol>
      <Lines show={show} />
      <Tokens />
    </section>
  );
}

type Show = (next: Partial<State>) => void;

/** A prompt of the list that is not the current one. */
function OtherPrompt({ text, at, show }: { readonly text: string; readonly at: number; readonly show: Show }) {
  return (
    <li>
      <button type="button" class="quiet" onClick={() => show(prompts(promptsOf(state.peek()), at))}>
        {visibleToken(text) || "empty"}
      </button>
      <Remove at={at} show={show} />
    </li>
  );
}

function Remove({ at, show }: { readonly at: number; readonly show: Show }) {
  return (
    <button
      type="button"
      class="quiet"
      aria-label={`Remove prompt ${at + 1}`}
      onClick={() => show(withoutPrompt(state.peek(), at))}
    >
      ×
    </button>
  );
}

/** Whether several lines are one prompt or one each is not to be guessed. */
function Lines({ show }: { readonly show: Show }) {
  const { length } = linesOf(state.value.prompt);
  if (length < 2) return null;
  return (
    <p class="lines">
      <button type="button" onClick={() => show(splitInLines(state.peek()))}>
        Take the {length} lines as {length} prompts
      </button>
    </p>
  );
}

function Presets() {
  return (
    <select
      aria-label="Take an example as the prompt"
      value=""
      onChange={(event) => {
        if (event.currentTarget.value) change({ prompt: event.currentTarget.value });
        event.currentTarget.value = "";
      }}
    >
      <option value="">examples</option>
      {presets().map((text) => (
        <option key={text} value={text}>
          {text}
        </option>
      ))}
    </select>
  );
}

function Tokens() {
  const context = described.value?.context ?? 0;
  const count = tokens.value.length;
  const held = state.value.selection.split(" ");
  if (tokensProblem.value) {
    return (
      <p class="problem" role="alert">
        {tokensProblem.value}
      </p>
    );
  }
  return (
    <>
      <p class="prompt-tokens">
        {tokens.value.map(({ text, id, isBos }, pos) => (
          <span
            key={pos}
            class={`token${isBos ? " bos" : ""}${held.includes(`pos=${pos}`) ? " held" : ""}`}
            title={`position ${pos}, id ${id}`}
          >
            {isBos ? "BOS" : visibleToken(text)}
          </span>
        ))}
      </p>
      <p class="count" aria-live="polite">
        {count > 0 && `${count} ${count === 1 ? "token" : "tokens"}`}
        {count > context && context > 0 && `, more than the ${context} that the model reads`}
      </p>
    </>
  );
}
