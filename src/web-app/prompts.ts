/** The page's prompts: a list, of which one is current. */
import type { State } from "./state.ts";

type Prompts = Pick<State, "prompt" | "promptsBefore" | "promptsAfter">;

/** All of them, in their order. */
export const promptsOf = ({ promptsBefore, prompt, promptsAfter }: Prompts): readonly string[] => [
  ...promptsBefore,
  prompt,
  ...promptsAfter,
];

/** A list with one of them as the current. */
export const prompts = (all: readonly string[], current: number): Prompts => ({
  promptsBefore: all.slice(0, current),
  prompt: all[current],
  promptsAfter: all.slice(current + 1),
});

/** The prompts without one of them; the current one stays, or the next takes its place, or the one before if it was the last. */
export function withoutPrompt(now: Prompts, at: number): Prompts {
  const rest = promptsOf(now).filter((_, i) => i !== at);
  const current = now.promptsBefore.length;
  return prompts(rest, Math.min(at < current ? current - 1 : current, rest.length - 1));
}

/** The prompts with an empty one after the current, which it then is. */
export const withNewPrompt = (now: Prompts): Prompts => ({
  ...{ promptsBefore: [...now.promptsBefore, now.prompt], prompt: "" },
  promptsAfter: now.promptsAfter,
});

/** The lines of the current prompt that are not empty. */
export const linesOf = (text: string): readonly string[] => text.split(/\r?\n/).filter((line) => line.trim() !== "");

/** The prompts with each line of the current one as a prompt. */
export const splitInLines = ({ promptsBefore, prompt, promptsAfter }: Prompts): Prompts =>
  prompts([...promptsBefore, ...linesOf(prompt), ...promptsAfter], promptsBefore.length);
