/** An option as a part of a form, from its record. */
import type { Field } from "../options/fields.ts";
import { promptsOf } from "./prompts.ts";
import { state } from "./store.ts";

interface FieldProps {
  readonly field: Field;
  readonly value: unknown;
  /** What its id begins with. */
  readonly of?: string;
  /** Undefined leaves the option out. */
  readonly onChange: (value: unknown) => void;
}

/** A label, what it is for, and what takes its value. */
export function FieldInput(props: FieldProps) {
  const { field, of = "option" } = props;
  const id = `${of}-${field.name}`;
  const wide = ["prompt", "prompts", "texts", "text", "answer"].includes(field.type);
  return (
    <div class={`field${wide ? " broad" : ""}${field.type === "flag" ? " flag-field" : ""}`}>
      <label for={id}>{field.label}</label>
      <Control {...props} id={id} />
      <small id={`${id}-help`}>{helpOf(field)}</small>
    </div>
  );
}

/** What it means, its range, and what leaving it out means. */
function helpOf(field: Field): string {
  const { least, most, above, below, default: standard, defaultText } = field;
  const from = least ?? above;
  const to = most ?? below;
  const range = from !== undefined && to !== undefined ? `${from} to ${to}` : from !== undefined ? `from ${from}` : "";
  const text = defaultText ?? (field.type === "flag" || standard === undefined ? "" : shortOf(standard));
  return [field.description, range, text && `default: ${text}`].filter(Boolean).join("; ");
}

function shortOf(value: unknown): string {
  const text = Array.isArray(value) ? value.join(", ") : `${value}`;
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

function Control({ field, value, onChange, id }: FieldProps & { readonly id: string }) {
  const common = { id, name: field.name, "aria-describedby": `${id}-help` };
  const textOf = (event: Event) => (event.currentTarget as HTMLInputElement).value;
  const given = (text: string) => (text === "" ? undefined : text);
  switch (field.type) {
    case "flag":
      return (
        <input
          {...common}
          type="checkbox"
          checked={value === true}
          onChange={(event) => onChange(event.currentTarget.checked || undefined)}
        />
      );
    case "choice":
      return (
        <select {...common} value={`${value ?? ""}`} onChange={(event) => onChange(given(textOf(event)))}>
          <option value="">{field.default === undefined ? "—" : `${field.default}`}</option>
          {field.choices
            ?.filter((one) => one !== field.default)
            .map((one) => (
              <option key={one}>{one}</option>
            ))}
        </select>
      );
    case "integer":
    case "layer":
    case "head":
    case "number":
      return <NumberInput field={field} value={value} onChange={onChange} common={common} />;
    case "file":
      return (
        <input
          {...common}
          type="file"
          onChange={async (event) => {
            const file = event.currentTarget.files?.[0];
            onChange(file && { name: file.name, text: await file.text() });
          }}
        />
      );
    case "prompts":
      return <PromptsInput value={value} onChange={onChange} common={common} />;
    case "texts":
      return (
        <textarea
          {...common}
          rows={2}
          value={Array.isArray(value) ? value.join("\n") : ""}
          placeholder="one a line"
          onInput={(event) => onChange(linesOf(event.currentTarget.value))}
        />
      );
    case "layers":
    case "heads":
    case "numbers":
      return (
        <input
          {...common}
          value={Array.isArray(value) ? value.join(" ") : ""}
          placeholder="numbers, with spaces between them"
          onChange={(event) => onChange(numbersOf(event.currentTarget.value))}
        />
      );
    default:
      return (
        <input
          {...common}
          value={`${value ?? ""}`}
          placeholder={typeof field.default === "string" ? field.default : ""}
          onInput={(event) => onChange(given(textOf(event)))}
        />
      );
  }
}

interface Common {
  readonly id: string;
  readonly name: string;
  readonly "aria-describedby": string;
}

/** One prompt a line, or those of the page, which may have lines of their own. */
function PromptsInput({
  value,
  onChange,
  common,
}: Pick<FieldProps, "value" | "onChange"> & { readonly common: Common }) {
  const given = Array.isArray(value) ? (value as readonly string[]) : [];
  const ofPage = promptsOf(state.value);
  const hasLines = given.some((one) => one.includes("\n"));
  return (
    <>
      <textarea
        {...common}
        rows={2}
        value={given.map((one) => one.replaceAll("\n", "⏎")).join("\n")}
        readOnly={hasLines}
        placeholder="one a line"
        onInput={(event) => onChange(linesOf(event.currentTarget.value))}
      />
      <span class="start">
        <button type="button" onClick={() => onChange(ofPage)}>
          {ofPage.length === 1 ? "Take the page's prompt" : `Take the page's ${ofPage.length} prompts`}
        </button>
        {hasLines && (
          <button type="button" onClick={() => onChange(undefined)}>
            Clear
          </button>
        )}
      </span>
    </>
  );
}

function NumberInput({
  field,
  value,
  onChange,
  common,
}: FieldProps & {
  readonly common: Common;
}) {
  const whole = field.type !== "number";
  const numberOf = (event: { readonly currentTarget: HTMLInputElement }) => {
    const { value: text, valueAsNumber } = event.currentTarget;
    onChange(text === "" || Number.isNaN(valueAsNumber) ? undefined : valueAsNumber);
  };
  // A number with two ends has a slider.
  if (!whole && field.least !== undefined && field.most !== undefined) {
    const at = typeof value === "number" ? value : Number(field.default ?? 0);
    return (
      <span class="slider">
        <input {...common} type="range" min={field.least} max={field.most} step="any" value={at} onInput={numberOf} />
        <output for={common.id}>{at.toFixed(2)}</output>
      </span>
    );
  }
  return (
    <input
      {...common}
      type="number"
      inputMode={whole ? "numeric" : "decimal"}
      step={whole ? 1 : "any"}
      min={field.least ?? field.above}
      max={field.most ?? field.below}
      value={typeof value === "number" ? value : ""}
      placeholder={field.default === undefined ? "" : `${field.default}`}
      onInput={numberOf}
    />
  );
}

function linesOf(text: string): string[] | undefined {
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.length === 0 ? undefined : lines;
}

function numbersOf(text: string): number[] | undefined {
  const words = text.split(/[\s,]+/).filter(Boolean);
  return words.length === 0 ? undefined : words.map(Number);
}
