/** What the page holds: its state, and what was computed of it. Components read these signals, and call the functions that change them. */
import { batch, computed, signal } from "@preact/signals";
import type { Finding } from "../finding/finding.ts";
import type { GivenIntervention } from "../measures/interventions/options.ts";
import { Asking } from "./asking.ts";
import { whyUnchanged } from "./changed-run.ts";
import type { Described, DescribedAnalysis } from "./described.ts";
import type { FirstPaint } from "./first-paint.ts";
import type { ComputesOn, Effect, Progress, ShownToken } from "./messages.ts";
import { changesOn, START, type State } from "./state.ts";
import { nextWorker } from "./the-worker.ts";

export const state = signal<State>(START);

/** How the state was changed last. What is typed in a row is one step back in the history; how pictures are looked at is none. */
export const changedBy = signal<"step" | "typing" | "looking">("step");

/** Where the model is. */
export type ModelStatus =
  | { readonly is: "loading"; readonly progress?: Progress }
  | { readonly is: "ready"; readonly on: ComputesOn }
  | { readonly is: "failed"; readonly why: string }
  /** With the worker. */
  | { readonly is: "ended"; readonly why: string };

export const modelStatus = signal<ModelStatus>({ is: "loading" });

/** A model that is to take the place of the one that is there. */
export interface Wanted {
  readonly model: string;
  readonly progress?: Progress;
  /** Why it cannot be opened. */
  readonly why?: string;
  /** Tries again. */
  readonly again: () => void;
}

export const wanted = signal<Wanted | undefined>(undefined);
export const described = signal<Described | undefined>(undefined);
/** What was stored with the page of the model that it starts with. */
export const storedDescription = signal<Described | undefined>(undefined);
export const tokens = signal<readonly ShownToken[]>([]);
/** What is wrong with the prompt. */
export const tokensProblem = signal("");

/** What was computed last, and of what. */
export interface Result {
  readonly of: string;
  readonly finding: Finding;
  /** Made when the page was built, not by this page. */
  readonly stored?: true;
}

export const result = signal<Result | undefined>(undefined);
export const problem = signal("");
/** How far the analysis is that runs; undefined while none does. */
export const running = signal<{ readonly progress?: Progress } | undefined>(undefined);
/** What the changes that are on do, and what is wrong with them. */
export const effectOf = signal<Effect | undefined>(undefined);
export const effectProblem = signal("");
/** What a link that was opened says that is wrong with it. */
export const linkProblem = signal("");

export const analysis = computed<DescribedAnalysis | undefined>(() =>
  described.value?.analyses.find(({ name }) => name === state.value.analysis),
);

/** Whether an analysis reads the prompt of the page: such an analysis runs as one types. */
export const readsPrompt = (one: DescribedAnalysis | undefined): boolean =>
  one?.fields.some(({ name, type }) => name === "prompt" && type === "prompt") ?? false;

/** The changes of the run that the finding is of. */
export const changesOfFinding = computed(() => {
  const changes = changesOn(state.value);
  const { withoutChanges } = state.value;
  return !analysis.value || withoutChanges || whyUnchanged(analysis.value, changes) ? [] : changes;
});

/** What a finding is of. */
export interface Asked extends Pick<State, "model" | "device" | "analysis" | "options"> {
  readonly changes: readonly GivenIntervention[];
}

const askedText = ({ model, device, analysis, options, changes }: Asked) =>
  JSON.stringify({ model, device, analysis, options, changes });

/** What would be computed now, as text: the same text means the same finding. */
export const asked = computed(() => {
  const { prompt } = state.value;
  const options = { ...(readsPrompt(analysis.value) ? { prompt } : {}), ...state.value.options };
  return askedText({ ...state.value, options, changes: changesOfFinding.value });
});

export const outdated = computed(() => result.value !== undefined && result.value.of !== asked.value);

export const asking = new Asking(nextWorker, (why) => {
  modelStatus.value = { is: "ended", why };
  const other = wanted.peek();
  if (other) wanted.value = { ...other, why: other.why ?? why };
});

/** Changes the state. @param typed whether by typing */
export function change(changes: Partial<State>, typed = false): void {
  set({ ...state.peek(), ...changes }, typed ? "typing" : "step");
}

/** Remembers how pictures are looked at. */
export function changePictures(pictures: State["pictures"]): void {
  if (JSON.stringify(pictures) === JSON.stringify(state.peek().pictures)) return;
  set({ ...state.peek(), pictures }, "looking");
}

/** Shows another state, as a whole. */
export function open(other: State): void {
  set(other, "step");
}

function set(next: State, by: typeof changedBy.value): void {
  batch(() => {
    changedBy.value = by;
    state.value = next;
  });
}

/** Shows what was stored with the page, if it is of the state that the page starts in. */
export function showFirst({ described: known, finding }: FirstPaint): void {
  storedDescription.value = known;
  described.value ??= known;
  if (state.value.model !== START.model || result.value) return;
  const options = { prompt: START.prompt, ...START.options };
  result.value = { of: askedText({ ...START, options, changes: [] }), finding, stored: true };
}
