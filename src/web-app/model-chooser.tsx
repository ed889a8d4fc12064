/** Which model: a bundled one, one on the Hugging Face hub, or one at an address. */
import { useSignal } from "@preact/signals";
import { bundledModels } from "../load/names.ts";
import { chosenModel } from "./chosen.ts";
import { computesOn, DeviceChooser } from "./device-chooser.tsx";
import { ProgressLine } from "./progress-line.tsx";
import { change, described, modelStatus, state } from "./store.ts";
import { StoredModels } from "./stored-models.tsx";

export function ModelChooser() {
  const open = useSignal(false);
  const name = useSignal("");
  const choose = (model: string) => {
    open.value = false;
    change({ model, options: {}, selection: "" });
  };
  const status = modelStatus.value;
  return (
    <div class="model">
      <button
        type="button"
        aria-expanded={open.value}
        aria-controls="models"
        onClick={() => (open.value = !open.value)}
      >
        {state.value.model}
      </button>
      {status.is === "ready" && (
        <small>
          <span class="facts">{factsOf()} · </span>
          {computesOn(status.on)}
        </small>
      )}
      <ProgressLine
        running={status.is === "loading"}
        progress={status.is === "loading" ? status.progress : undefined}
      />
      {open.value && (
        <div class="models" id="models">
          {bundledModels.map((one) => (
            <button type="button" key={one} aria-pressed={one === state.value.model} onClick={() => choose(one)}>
              {one} <small>comes with the page</small>
            </button>
          ))}
          <form
            onSubmit={(event) => {
              event.preventDefault();
              if (name.value.trim()) choose(name.value.trim());
            }}
          >
            <label for="model-name">Hugging Face id, short name, or address</label>
            <input
              id="model-name"
              value={name.value}
              placeholder="gpt2"
              onInput={(event) => {
                name.value = event.currentTarget.value;
              }}
            />
            <button type="submit">Load</button>
          </form>
          <label>
            Files of this computer: config.json, weights and tokenizer.json, or a GGUF file
            <input
              type="file"
              multiple
              onChange={(event) => {
                const files = [...(event.currentTarget.files ?? [])];
                if (files.length > 0) choose(chosenModel(files));
              }}
            />
          </label>
          <DeviceChooser />
          <StoredModels onChoose={choose} />
        </div>
      )}
      {status.is === "failed" && (
        <p class="problem" role="alert">
          {status.why}
        </p>
      )}
    </div>
  );
}

function factsOf(): string {
  const { n_layers, n_heads, d_model } = described.value?.model.config ?? {};
  return `${n_layers} ${n_layers === 1 ? "layer" : "layers"}, ${n_heads} heads, d_model ${d_model}`;
}
