/** What the browser stores of models: how much, since when, and a button that deletes it. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { bundledModels } from "../load/names.ts";
import type { StoredModel } from "../load/web-stored.ts";
import { showBytes } from "../tensor/free-memory.ts";
import { sentence } from "./latest.ts";
import { asking } from "./store.ts";

export function StoredModels({ onChoose }: { readonly onChoose: (model: string) => void }) {
  const models = useSignal<readonly StoredModel[] | undefined>(undefined);
  const said = useSignal("");
  const problem = useSignal("");
  const title = useRef<HTMLHeadingElement>(null);
  const read = async () => {
    models.value = await asking.ask("stored", {});
  };
  const doing = async (act: () => Promise<void>) => {
    try {
      await act();
      problem.value = "";
    } catch (error) {
      problem.value = sentence(error);
    }
  };
  useEffect(() => void doing(read), []);
  const remove = (one: StoredModel) =>
    doing(async () => {
      const bytes = await asking.ask("deleteStored", one);
      said.value = `${nameOf(one)} is deleted: ${showBytes(bytes)} are free again.`;
      await read();
      // The button that was pressed is gone.
      title.current?.focus();
    });
  const all = models.value;
  return (
    <section class="stored" aria-labelledby="stored-models">
      <h2 id="stored-models" tabIndex={-1} ref={title}>
        Stored in this browser
      </h2>
      {all?.length === 0 && <p>Nothing.</p>}
      <ul>
        {all?.map((one) => (
          <li key={`${one.name} ${one.revision}`}>
            <button type="button" class="opens" onClick={() => onChoose(openedBy(one))}>
              {nameOf(one)} <small>{factsOf(one)}</small>
            </button>
            <button type="button" aria-label={`Delete ${nameOf(one)}`} onClick={() => void remove(one)}>
              Delete
            </button>
          </li>
        ))}
      </ul>
      <p role="status">{said.value}</p>
      {problem.value && (
        <p class="problem" role="alert">
          {problem.value}
        </p>
      )}
    </section>
  );
}

/** A bundled model's short name, or an id with the first characters of its commit. */
function nameOf(one: StoredModel): string {
  return one.revision === undefined ? openedBy(one) : `${one.name}@${one.revision.slice(0, 7)}`;
}

/** The name by which the page opens it. */
function openedBy({ name, revision }: StoredModel): string {
  const bundled = bundledModels.find((one) => new URL(`models/${one}/`, document.baseURI).href === name);
  return bundled ?? (revision === undefined ? name : `${name}@${revision}`);
}

function factsOf({ bytes, date, complete }: StoredModel): string {
  const day = new Date(date).toLocaleDateString("en-GB", { dateStyle: "medium" });
  return [showBytes(bytes), day, ...(complete ? [] : ["not complete"])].join(", ");
}
