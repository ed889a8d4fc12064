/** The page's whole state: one plain object, which is also what a link holds. */
import { bundledModel } from "../load/names.ts";
import type { GivenIntervention } from "../measures/interventions/options.ts";
import type { ChangedPictures } from "../report/mount/changed.ts";
import { ArgumentError } from "../tensor/errors.ts";

/** A change of the model's run, which may have a name and may be switched off. */
export interface Change {
  readonly name?: string;
  readonly off?: true;
  readonly does: GivenIntervention;
}

/** What the page may be asked to compute on; `automatic` is for the page to decide. */
export const DEVICE_CHOICES = ["automatic", "cpu", "webgpu"] as const;
export type DeviceChoice = (typeof DEVICE_CHOICES)[number];

export interface State {
  /** A bundled model's name, an id on the Hugging Face hub, or an address. */
  readonly model: string;
  readonly device: DeviceChoice;
  /** The text that the page is about; analyses that have an option `prompt` take it. */
  readonly prompt: string;
  /** Other prompts that it is one of a list with. */
  readonly promptsBefore: readonly string[];
  readonly promptsAfter: readonly string[];
  /** The name of the analysis that is shown. */
  readonly analysis: string;
  /** Its other options, as far as they are not left out. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Whether it has been run, so that a link runs it. */
  readonly run: boolean;
  /** The place that is selected, along named axes: "layer=0 head=3"; "" for none. */
  readonly selection: string;
  /** What is not as it is drawn first of the finding's pictures, by their names: head, switches, zoom. */
  readonly pictures: ChangedPictures;
  /** Changes of the model's run, in their order. */
  readonly changes: readonly Change[];
  /** Whether the finding is of the run without them. */
  readonly withoutChanges: boolean;
}

export const DEFAULT_PROMPT = "The old man smiled, and shook his";

/** A finding that nobody has touched yet. */
export const UNTOUCHED: Pick<State, "selection" | "pictures"> = { selection: "", pictures: {} };

export const START: State = {
  model: bundledModel,
  device: "automatic",
  prompt: DEFAULT_PROMPT,
  promptsBefore: [],
  promptsAfter: [],
  analysis: "look",
  options: {},
  run: true,
  ...UNTOUCHED,
  changes: [],
  withoutChanges: false,
};

const KINDS: { readonly [K in keyof State]: (value: unknown) => boolean } = {
  model: isText,
  device: (value) => DEVICE_CHOICES.some((one) => one === value),
  prompt: isText,
  promptsBefore: isTexts,
  promptsAfter: isTexts,
  analysis: isText,
  options: isRecord,
  run: (value) => typeof value === "boolean",
  selection: isText,
  pictures: (value) => isRecord(value) && Object.values(value).every(isRecord),
  withoutChanges: (value) => typeof value === "boolean",
  changes: (value) => Array.isArray(value) && value.every(isChange),
};

function isChange(value: unknown): boolean {
  const { does, name = "" } = (value ?? {}) as Partial<Change>;
  return typeof does === "object" && does !== null && typeof name === "string";
}

function isText(value: unknown): boolean {
  return typeof value === "string";
}

function isRecord(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every(isText);
}

/** A state from what a link or a file holds; what is missing is as at the start. @throws ArgumentError for anything else */
export function stateFrom(value: unknown): State {
  if (typeof value !== "object" || value === null) {
    throw new ArgumentError("What it holds is not a state of the page.", { asked: value });
  }
  const known = Object.entries(value).filter(([name]) => name in KINDS);
  const wrong = known.find(([name, one]) => !KINDS[name as keyof State](one));
  if (wrong) throw new ArgumentError(`Its ${wrong[0]} is not what the page's ${wrong[0]} can be.`, { asked: wrong[1] });
  return { ...START, ...Object.fromEntries(known) };
}

/** The changes that are not switched off. */
export const changesOn = ({ changes }: State): readonly GivenIntervention[] =>
  changes.filter(({ off }) => !off).map(({ does }) => does);

/** What differs from the start: what a link needs to hold. */
export function changesFromStart(state: State): Partial<State> {
  const isStart = (name: keyof State) => JSON.stringify(state[name]) === JSON.stringify(START[name]);
  return Object.fromEntries(Object.entries(state).filter(([name]) => !isStart(name as keyof State)));
}
