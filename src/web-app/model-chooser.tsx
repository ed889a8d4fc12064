/** Which model: a bundled one, one on the Hugging Face hub, or one at an address. */
import { useSignal } from "@preact/signals";
import type { ComponentType } from "preact";
import { useEffect } from "preact/hooks";
import { bundledModels } from "../load/names.ts";
import { computesOn, DeviceChooser } from "./device-chooser.tsx";
import { choose, stopLoading } from "./loading.ts";
import { openFiles } from "./opening.ts";
import { ProgressLine } from "./progress-line.tsx";
import { described, modelStatus, state, wanted } from "./store.ts";

export function ModelChooser() {
  const isOpen = useSignal(false);
  const name = useSignal("");
  const chosen = (model: string) => {
    isOpen.value = false;
    void choose(model);
  };
  const status = modelStatus.value;
  return (
    <div class="model">
      <button
        type="button"
        aria-expanded={isOpen.value}
        aria-controls="models"
        onClick={() => (isOpen.value = !isOpen.value)}
      >
        {state.value.model}
      </button>
      {status.is === "ready" && (
        <small>
          <span class="facts">{factsOf()} · </span>
          {computesOn(status.on)}
        </small>
      )}
      <Loading />
      {isOpen.value && (
        <div class="models" id="models">
          {bundledModels.map((one) => (
            <button type="button" key={one} aria-pressed={one === state.value.model} onClick={() => chosen(one)}>
              {one} <small>comes with the page</small>
            </button>
          ))}
          <form
            onSubmit={(event) => {
              event.preventDefault();
              if (name.value.trim()) chosen(name.value.trim());
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
            Files of this computer: config.json, weights and tokenizer.json, a GGUF file, or a state that was saved here
            <input
              type="file"
              multiple
              onChange={(event) => {
                const files = [...(event.currentTarget.files ?? [])];
                if (files.length === 0) return;
                isOpen.value = false;
                void openFiles(files);
              }}
            />
          </label>
          <DeviceChooser />
          <Stored onChoose={chosen} />
        </div>
      )}
    </div>
  );
}

/** What the browser stores, once its code is there. */
function Stored({ onChoose }: { readonly onChoose: (model: string) => void }) {
  const found = useSignal<ComponentType<{ readonly onChoose: (model: string) => void }> | undefined>(undefined);
  useEffect(() => {
    void import("./stored-models.tsx").then(({ StoredModels }) => {
      found.value = StoredModels;
    });
  }, []);
  return found.value ? <found.value onChoose={onChoose} /> : null;
}

/** The model that is on its way. */
function Loading() {
  const status = modelStatus.value;
  const other = wanted.value;
  const progress = other ? other.progress : status.is === "loading" ? status.progress : undefined;
  const isLoading = other ? other.why === undefined : status.is === "loading";
  if (!isLoading) return null;
  return (
    <span class="loading">
      {other && <small>{other.model}</small>}
      <ProgressLine running progress={progress} />
      {(other || progress) && (
        <button type="button" onClick={stopLoading}>
          Cancel
        </button>
      )}
    </span>
  );
}

function factsOf(): string {
  const { n_layers, n_heads, d_model } = described.value?.model.config ?? {};
  return `${n_layers} ${n_layers === 1 ? "layer" : "layers"}, ${n_heads} heads, d_model ${d_model}`;
}
