/** Keeps what is computed in step with the state: each computation ends the one before it of its kind. */
import { effect, untracked } from "@preact/signals";
import { Latest, sentence } from "./latest.ts";
import { followModel } from "./loading.ts";
import { unpacked } from "./packed-finding.ts";
import { changesOn, type State } from "./state.ts";
import {
  type Asked,
  analysis,
  asked,
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

const tokenizing = new Latest("tokens");
const analysing = new Latest("analyse");
const generating = new Latest("generate");
const effecting = new Latest("effect");

async function tokenize(model: string, prompt: string): Promise<void> {
  try {
    const found = await tokenizing.ask({ model, prompt });
    if (!found) return;
    tokens.value = found;
    tokensProblem.value = "";
  } catch (error) {
    tokensProblem.value = sentence(error);
  }
}

async function analyse(of: string): Promise<void> {
  const { model, analysis, options, changes } = JSON.parse(of) as Asked;
  running.value = {};
  problem.value = "";
  try {
    const finding = await analysing.ask({ model, analysis, options, changes }, (progress) => {
      running.value = { progress };
    });
    if (!finding) return;
    result.value = { of, finding: unpacked(finding) };
  } catch (error) {
    problem.value = sentence(error);
  }
  running.value = undefined;
}

export function stopAnalysis(): void {
  analysing.stop();
  running.value = undefined;
  problem.value = "";
}

async function runChanged(of: State): Promise<void> {
  const { model, prompt } = of;
  const changes = changesOn(of);
  effectProblem.value = "";
  if (changes.length === 0) {
    effecting.stop();
    effectOf.value = undefined;
    return;
  }
  try {
    effectOf.value = (await effecting.ask({ model, prompt, changes })) ?? effectOf.peek();
  } catch (error) {
    effectProblem.value = sentence(error);
  }
}

/** Continues the prompt. The answer is undefined if it was stopped. */
export function continuation(options: Readonly<Record<string, unknown>>, hear: (text: string) => void) {
  const { model, prompt } = state.peek();
  return generating.ask({ model, prompt, options, changes: changesOn(state.peek()) }, hear);
}

export function stopContinuation(): void {
  generating.stop();
}

/** Begins to follow the state. */
export function follow(): void {
  followModel();
  effect(() => {
    if (modelStatus.value.is !== "ready") untracked(unfollow);
  });
  effect(() => {
    const { model, prompt } = state.value;
    if (modelStatus.value.is === "ready") void tokenize(model, prompt);
  });
  effect(() => {
    const { model, prompt } = state.value;
    if (modelStatus.value.is !== "ready") return;
    // A name does not change what is computed.
    const key = JSON.stringify([model, prompt, changesOn(state.value)]);
    if (key === following.changed) return;
    following.changed = key;
    clearTimeout(following.changing);
    following.changing = setTimeout(() => void runChanged(state.peek()), REST);
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

/** Without a model nothing is computed; with the next one, everything that is not there yet. */
function unfollow(): void {
  clearTimeout(following.timer);
  clearTimeout(following.changing);
  stopAnalysis();
  const found = result.peek();
  following.of = found?.stored ? undefined : found?.of;
  following.changed = undefined;
}

/** What is followed now: the timer of what will be computed, and what was computed last. */
const following: {
  timer?: ReturnType<typeof setTimeout>;
  of?: string | undefined;
  changing?: ReturnType<typeof setTimeout>;
  changed?: string | undefined;
} = {};

/** Runs the analysis again, also if nothing changed. */
export function runAgain(): void {
  following.of = asked.peek();
  void analyse(asked.peek());
}
