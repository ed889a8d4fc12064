/** Keeps what is computed in step with the state: each computation ends the one before it of its kind. */
import { effect, untracked } from "@preact/signals";
import type { GivenIntervention } from "../measures/interventions/options.ts";
import { filesOf } from "./chosen.ts";
import type { TaskName, Tasks } from "./messages.ts";
import { changesOn, type State } from "./state.ts";
import {
  type Asked,
  analysis,
  asked,
  asking,
  described,
  effectOf,
  effectProblem,
  modelStatus,
  problem,
  readsPrompt,
  result,
  running,
  state,
  tokens,
  tokensProblem,
} from "./store.ts";

/** How long typing rests before the analysis runs again, in ms. */
const REST = 300;

/** One kind of computation, of which only the last is wanted. */
class Latest<K extends TaskName> {
  readonly #task: K;
  #control: AbortController | undefined;

  constructor(task: K) {
    this.#task = task;
  }

  /** The answer; undefined if another was asked for meanwhile, or it was stopped. @throws what the task threw */
  async ask(ask: Tasks[K]["ask"], hear?: (event: Tasks[K]["event"]) => void): Promise<Tasks[K]["answer"] | undefined> {
    this.stop();
    const control = new AbortController();
    this.#control = control;
    try {
      return await asking.ask(this.#task, ask, { signal: control.signal, ...(hear ? { hear } : {}) });
    } catch (error) {
      if (control.signal.aborted) return undefined;
      throw error;
    }
  }

  stop(): void {
    this.#control?.abort();
  }
}

const loading = new Latest("load");
const tokenizing = new Latest("tokens");
const analysing = new Latest("analyse");
const generating = new Latest("generate");
const effecting = new Latest("effect");

export const sentence = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Loads a model, and takes it for the page's. */
async function load({ model: name, device }: State): Promise<void> {
  modelStatus.value = { is: "loading" };
  stopAnalysis();
  try {
    const files = filesOf(name);
    const found = await loading.ask({ name, device, ...(files ? { files } : {}) }, (progress) => {
      modelStatus.value = { is: "loading", progress };
    });
    if (!found) return;
    described.value = found.described;
    modelStatus.value = { is: "ready", on: found.on };
  } catch (error) {
    modelStatus.value = { is: "failed", why: sentence(error) };
  }
}

async function tokenize(prompt: string): Promise<void> {
  try {
    const found = await tokenizing.ask({ prompt });
    if (!found) return;
    tokens.value = found;
    tokensProblem.value = "";
  } catch (error) {
    tokensProblem.value = sentence(error);
  }
}

async function analyse(of: string): Promise<void> {
  const { analysis, options, changes } = JSON.parse(of) as Asked;
  running.value = {};
  problem.value = "";
  try {
    const finding = await analysing.ask({ analysis, options, changes }, (progress) => {
      running.value = { progress };
    });
    if (!finding) return;
    result.value = { of, finding };
  } catch (error) {
    problem.value = sentence(error);
  }
  running.value = undefined;
}

export function stopAnalysis(): void {
  analysing.stop();
  running.value = undefined;
}

async function runChanged(prompt: string, changes: readonly GivenIntervention[]): Promise<void> {
  effectProblem.value = "";
  if (changes.length === 0) {
    effecting.stop();
    effectOf.value = undefined;
    return;
  }
  try {
    effectOf.value = (await effecting.ask({ prompt, changes })) ?? effectOf.peek();
  } catch (error) {
    effectProblem.value = sentence(error);
  }
}

/** Continues the prompt. The answer is undefined if it was stopped. */
export function continuation(options: Readonly<Record<string, unknown>>, hear: (text: string) => void) {
  const { prompt } = state.peek();
  return generating.ask({ prompt, options, changes: changesOn(state.peek()) }, hear);
}

export function stopContinuation(): void {
  generating.stop();
}

/** Begins to follow the state. */
export function follow(): void {
  effect(() => {
    const { model, device } = state.value;
    const of = JSON.stringify([model, device]);
    if (of === following.model) return;
    following.model = of;
    untracked(() => void load(state.value));
  });
  effect(() => {
    const { prompt } = state.value;
    if (modelStatus.value.is === "ready") void tokenize(prompt);
  });
  effect(() => {
    const { prompt, changes } = state.value;
    if (modelStatus.value.is !== "ready") return;
    // A name does not change what is computed.
    const key = JSON.stringify([prompt, changesOn({ ...state.peek(), changes }), following.model]);
    if (key === following.changed) return;
    following.changed = key;
    clearTimeout(following.changing);
    following.changing = setTimeout(() => void runChanged(prompt, changesOn(state.peek())), REST);
  });
  effect(() => {
    const of = asked.value;
    const { run } = state.value;
    if (modelStatus.value.is !== "ready" || !analysis.value) return;
    clearTimeout(following.timer);
    if (!run) return stopAnalysis();
    if (of === following.of && !problem.peek()) return;
    const wait = following.of === undefined || !readsPrompt(analysis.value) ? 0 : REST;
    following.timer = setTimeout(() => {
      following.of = of;
      void analyse(of);
    }, wait);
  });
}

/** What is followed now: the model and its device, the timer of what will be computed, and what was computed last. */
const following: {
  model?: string;
  timer?: ReturnType<typeof setTimeout>;
  of?: string;
  changing?: ReturnType<typeof setTimeout>;
  changed?: string;
} = {};

/** Runs the analysis again, also if nothing changed. */
export function runAgain(): void {
  following.of = asked.peek();
  void analyse(asked.peek());
}
