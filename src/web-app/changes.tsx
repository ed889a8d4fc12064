/** Changes of the model's run: a list that can be switched, reordered and named, and what it does. */
import { useSignal } from "@preact/signals";
import type { GivenIntervention } from "../measures/interventions/options.ts";
import { Act } from "./acts.tsx";
import { applying, withValue } from "./applying.ts";
import { FieldInput } from "./field.tsx";
import { FindingView } from "./finding-view.tsx";
import { copied } from "./saving.tsx";
import type { Change } from "./state.ts";
import { change, described, effectOf, effectProblem, modelStatus, state } from "./store.ts";

export function Changes() {
  const { changes } = state.value;
  const open = useSignal(changes.length > 0);
  const effect = effectOf.value;
  const update = (next: readonly Change[], typed = false) => change({ changes: next }, typed);
  const replaced = (at: number, by: Change) => changes.map((one, i) => (i === at ? by : one));
  return (
    <details
      class="changes"
      open={open.value || changes.length > 0}
      onToggle={(event) => {
        open.value = event.currentTarget.open;
      }}
    >
      <summary>
        Change the model's run
        {changes.length > 0 && ` (${changes.filter(({ off }) => !off).length} of ${changes.length} on)`}
      </summary>
      <ol>
        {changes.map((one, at) => (
          <ChangeRow
            key={at}
            one={one}
            at={at}
            onChange={(by, typed) => update(replaced(at, by), typed)}
            onMove={(by) => update(moved(changes, at, by))}
            onRemove={() => update(changes.filter((_, i) => i !== at))}
          />
        ))}
      </ol>
      <div class="start">
        <button
          type="button"
          disabled={modelStatus.value.is === "failed"}
          onClick={() => update([...changes, { does: selected() }])}
        >
          {state.value.selection ? "Change what is selected" : "Add a change"}
        </button>
        {effect && <Act text="Copy TypeScript" act={() => copied(effect.typescript)} />}
        {effect && <Act text="Copy Python (TransformerLens)" act={() => copied(effect.python)} />}
      </div>
      {effectProblem.value && (
        <p class="problem" role="alert">
          {effectProblem.value}
        </p>
      )}
      {effect && (
        <section class="effect" aria-label="Before and after">
          <FindingView finding={effect.finding} />
        </section>
      )}
    </details>
  );
}

function moved(changes: readonly Change[], at: number, by: -1 | 1): readonly Change[] {
  const next = [...changes];
  [next[at], next[at + by]] = [next[at + by], next[at]];
  return next;
}

/** A change of what is selected, or of the first head. */
function selected(): GivenIntervention {
  const words = state
    .peek()
    .selection.split(" ")
    .map((word) => word.split("="));
  const at = new Map(words.map(([axis, value]) => [axis, Number.parseInt(value ?? "", 10)]));
  const known = (axis: string) => (Number.isInteger(at.get(axis)) ? at.get(axis) : undefined);
  const [layer, head, neuron, position] = ["layer", "head", "d_mlp", "pos"].map(known);
  const place = { ...(layer === undefined ? {} : { layer }), ...(position === undefined ? {} : { position }) };
  if (head !== undefined) return { ...place, what: "head", head };
  if (neuron !== undefined) return { ...place, what: "neuron", neuron };
  return layer === undefined && position === undefined ? { what: "head", head: 0 } : { ...place, what: "stream" };
}

interface RowProps {
  readonly one: Change;
  readonly at: number;
  readonly onChange: (one: Change, typed?: boolean) => void;
  readonly onMove: (by: -1 | 1) => void;
  readonly onRemove: () => void;
}

function ChangeRow({ one, at, onChange, onMove, onRemove }: RowProps) {
  const { name = "", off, does } = one;
  const number = at + 1;
  const count = state.value.changes.length;
  const all = described.value?.intervention ?? [];
  const fields = applying(all, does);
  const switched = (on: boolean): Change => ({ ...(name ? { name } : {}), ...(on ? {} : { off: true }), does });
  const set = (option: string, value: unknown, typed: boolean) => {
    onChange({ ...one, does: withValue(all, does, option, value) as GivenIntervention }, typed);
  };
  return (
    <li class={off ? "off" : ""}>
      <div class="row">
        <input
          type="checkbox"
          aria-label={`Change ${number} is on`}
          checked={!off}
          onChange={(event) => onChange(switched(event.currentTarget.checked))}
        />
        <input
          class="change-name"
          aria-label={`Name of change ${number}`}
          placeholder={`Change ${number}`}
          value={name}
          onInput={(event) => onChange({ ...one, name: event.currentTarget.value }, true)}
        />
        <button type="button" aria-label={`Move change ${number} up`} disabled={at === 0} onClick={() => onMove(-1)}>
          ↑
        </button>
        <button
          type="button"
          aria-label={`Move change ${number} down`}
          disabled={at === count - 1}
          onClick={() => onMove(1)}
        >
          ↓
        </button>
        <button type="button" aria-label={`Remove change ${number}`} onClick={onRemove}>
          ×
        </button>
      </div>
      <div class="fields-of">
        {fields.map((field) => (
          <FieldInput
            key={field.name}
            of={`change-${number}`}
            field={field}
            value={(does as Readonly<Record<string, unknown>>)[field.name]}
            onChange={(value) => set(field.name, value, typeof value !== "undefined")}
          />
        ))}
      </div>
    </li>
  );
}
