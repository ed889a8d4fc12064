/** The prompt, and its tokens as one types. */
import { visibleToken } from "../report/token-text.ts";
import { change, described, state, tokens, tokensProblem } from "./store.ts";

/** Texts to begin with: those of the analyses' examples. */
function presets(): string[] {
  const examples = described.value?.analyses.map(({ example }) => example.prompt) ?? [];
  return [...new Set(examples.filter((one) => typeof one === "string"))];
}

export function PromptField() {
  return (
    <section class="prompt" aria-label="The prompt and its tokens">
      <div class="row">
        <label for="prompt">Prompt</label>
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
      </div>
      <textarea
        id="prompt"
        rows={2}
        spellcheck={false}
        value={state.value.prompt}
        onInput={(event) => change({ prompt: event.currentTarget.value }, true)}
      />
      <Tokens />
    </section>
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
