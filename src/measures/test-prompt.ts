/** How well a model knows an answer. Source: TransformerLens' `utils.test_prompt`. */

import type { HookedTransformer } from "../lens/hooked-transformer.ts";
import { needNextToken } from "../lens/model-has.ts";
import { batchOf, needText, readTokens } from "../lens/tokens.ts";
import { ArgumentError, InputError } from "../tensor/errors.ts";
import { FLAG, type Kind, listOf, NUMBER, OBJECT, TEXT } from "../tensor/kinds.ts";
import type { OptionKinds } from "../tensor/options.ts";
import { shown } from "../tensor/show.ts";
import type { TokenRules } from "../text/index.ts";
import { Measured } from "./measured.ts";
import { type AnalysisOptions, type GivenOptions, settled } from "./options.ts";
import { readPrompt } from "./prompt.ts";

export const TEST_PROMPT_OPTIONS = {
  prompt: { type: "prompt", description: "the text before the answer", default: "The old man smiled, and shook his" },
  answers: {
    type: "texts",
    placeholder: "answer",
    description: "one answer, or several",
    default: ["head", "hand"],
  },
  top: {
    type: "integer",
    placeholder: "K",
    description: "how many of the most probable tokens to show",
    default: 10,
    least: 1,
    most: ({ cfg }) => cfg.dVocabOut,
  },
  asIs: { type: "flag", description: "use the answers as they are, without adding a leading space" },
} as const satisfies AnalysisOptions;

/** The kinds of `ReadingOptions`. */
export const READING: OptionKinds<ReadingOptions> = { prependBos: FLAG };

/** How the prompt is read. */
export interface ReadingOptions {
  readonly prependBos?: boolean | undefined;
}

/** The options of `measureTestPrompt` and `testPrompt`. */
export type TestPromptOptions = GivenOptions<typeof TEST_PROMPT_OPTIONS> & ReadingOptions;

/** A token, with its logit, probability and rank. */
export interface ScoredToken {
  readonly id: number;
  readonly token: string;
  readonly logit: number;
  readonly prob: number;
  /** How many tokens are more probable; 0 is the most probable. */
  readonly rank: number;
}

/** A token of an answer, and what the model makes of it. */
export interface TestPromptRow {
  /** Which answer, from 0. */
  readonly answer: number;
  /** Which of its tokens, from 0. */
  readonly step: number;
  readonly token: string;
  readonly rank: number;
  readonly logit: number;
  readonly prob: number;
}

/** The result of `measureTestPrompt`: a row for each token that is scored. */
export interface TestPromptMeasurement extends Measured<TestPromptRow>, TestedPrompt {}

/** What `testPromptText` prints. */
export interface TestedPrompt {
  /** The tokens of the prompt, and of each answer. */
  readonly prompt: readonly string[];
  readonly answers: readonly (readonly string[])[];
  /** One step for each token of a single answer; only one step if there are several answers. */
  readonly steps: readonly {
    /** For each answer, its token at this step. */
    readonly answers: readonly ScoredToken[];
    /** The most probable tokens, most probable first. */
    readonly top: readonly ScoredToken[];
  }[];
}

/**
 * Rank, logit and probability of each token of an answer, given the prompt and the answer's tokens before it, and the most
 * probable tokens there. Of several answers the first tokens are compared.
 *
 * " word" and "word" are different tokens: unless `asIs` is set, an answer without a space in front gets one.
 * @throws InputError for an empty prompt or answer, or one that does not fit into the context.
 */
export async function measureTestPrompt(
  model: HookedTransformer,
  options: TestPromptOptions = {},
): Promise<TestPromptMeasurement> {
  const asked = settled("measureTestPrompt", model, options, TEST_PROMPT_OPTIONS, READING);
  needNextToken("measureTestPrompt", model);
  const { asIs, prependBos, top, signal } = asked;
  if (asked.answers.length === 0)
    throw new InputError("There is no answer: pass one text or several.", { asked: asked.answers });
  if (asked.answers.includes("")) {
    throw new InputError("An answer is empty: use at least one word.", { asked: asked.answers });
  }
  const text = needText(model);
  const { nCtx, dVocabOut } = model.cfg;
  // An answer of only white space is used as it is.
  const unspaced = (text: string) => !asIs && !text.startsWith(" ") && text.trim() !== "";
  const spaced = asked.answers.map((text) => (unspaced(text) ? ` ${text}` : text));
  const promptIds = readPrompt(model, asked.prompt, { prependBos }).ids;
  const answers = spaced.map((text): number[] =>
    Array.from(readTokens(text, model, { prependBos: false, truncate: false }).data),
  );
  const steps = answers.length > 1 ? 1 : answers[0].length;
  // The last token of the answer is predicted and need not be read.
  const read = [...promptIds, ...answers[0].slice(0, steps - 1)];
  if (read.length > nCtx) {
    throw new InputError(
      `Prompt and answer have ${read.length} tokens, BOS included, but the model's context holds ${nCtx}: shorten the prompt.`,
      { asked: read.length, found: nCtx },
    );
  }
  const logits = await model.runWithHooks(batchOf([read], model), {
    logitsPos: Array.from({ length: steps }, (_, i) => promptIds.length - 1 + i),
    signal,
  });
  const tested: TestedPrompt = {
    prompt: text.toStrTokens(promptIds),
    answers: answers.map((ids) => text.toStrTokens(ids)),
    steps: Array.from({ length: steps }, (_, step) => {
      const row = logits.data.subarray(step * dVocabOut, (step + 1) * dVocabOut) as Float32Array;
      const scored = scorer(text, row);
      return { answers: answers.map((ids) => scored.of(ids[step])), top: scored.order.slice(0, top).map(scored.of) };
    }),
  };
  const rows = tested.steps.flatMap((one, step) =>
    one.answers.map(({ token, rank, logit, prob }, answer): TestPromptRow => {
      return { answer, step, token, rank, logit, prob };
    }),
  );
  return Measured.of(rows, tested);
}

/** What the model predicts for a token after BOS alone. */
export async function afterBosAlone(
  model: HookedTransformer,
  id: number,
  signal: AbortSignal | undefined,
): Promise<{ readonly prob: number; readonly rank: number } | undefined> {
  const bos = model.text?.bosTokenId;
  if (bos === undefined) return undefined;
  const logits = Array.from((await model.forward([bos], { logitsPos: -1, signal })).data);
  const sum = logits.reduce((total, x) => total + Math.exp(x - logits[id]), 0);
  return { prob: 1 / sum, rank: logits.filter((x) => x > logits[id]).length };
}

/** What one row of logits says about tokens. */
function scorer(text: TokenRules, logits: Float32Array) {
  const most = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  const sum = logits.reduce((total, x) => total + Math.exp(x - most), 0);
  const order = Array.from(logits.keys()).sort((a, b) => logits[b] - logits[a] || a - b);
  const of = (id: number): ScoredToken => ({
    id,
    token: text.toSingleStrToken(id),
    logit: logits[id],
    prob: Math.exp(logits[id] - most) / sum,
    rank: logits.reduce((above, x) => above + (x > logits[id] ? 1 : 0), 0),
  });
  return { order, of };
}

/** The result as TransformerLens prints it. */
export function testPromptText(result: TestedPrompt): string {
  checkResult(result);
  const { prompt, answers, steps } = result;
  const several = answers.length > 1;
  const list = (tokens: readonly string[]) => `[${tokens.map((t) => JSON.stringify(t)).join(", ")}]`;
  const numbers = ({ logit, prob, token }: ScoredToken) =>
    `Logit: ${logit.toFixed(2).padStart(5)} Prob: ${`${(100 * prob).toFixed(2)}%`.padStart(6)} Token: |${token}|`;
  const lines = [
    `Tokenized prompt: ${list(prompt)}`,
    several ? `Tokenized answers: [${answers.map(list).join(", ")}]` : `Tokenized answer: ${list(answers[0])}`,
  ];
  for (const step of steps) {
    for (const answer of step.answers) {
      lines.push("Performance on answer token:", `Rank: ${String(answer.rank).padEnd(8)} ${numbers(answer)}`);
    }
    step.top.forEach((token, i) => {
      lines.push(`Top ${i}th token. ${numbers(token)}`);
    });
  }
  const ranks = steps.flatMap((step) => step.answers.map(({ token, rank }) => `(${JSON.stringify(token)}, ${rank})`));
  lines.push(`Ranks of the answer tokens: [${ranks.join(", ")}]`);
  return lines.join("\n");
}

/** @throws ArgumentError for anything but a result of `measureTestPrompt` */
function checkResult(result: unknown): void {
  const texts = listOf(TEXT, "texts");
  const scored: Kind = {
    accepts: (v) => {
      const { token, logit, prob, rank } = (OBJECT.accepts(v) ? v : {}) as Partial<ScoredToken>;
      return TEXT.accepts(token) && [logit, prob, rank].every(NUMBER.accepts);
    },
    describe: "a scored token",
  };
  const tokens = listOf(scored, "scored tokens");
  const { prompt, answers, steps } = (OBJECT.accepts(result) ? result : {}) as Partial<TestedPrompt>;
  const isStep = (step: unknown) => {
    const { answers, top } = (OBJECT.accepts(step) ? step : {}) as Partial<TestedPrompt["steps"][number]>;
    return tokens.accepts(answers) && tokens.accepts(top);
  };
  const whole = texts.accepts(prompt) && Array.isArray(answers) && Array.from(answers).every(texts.accepts);
  if (whole && answers.length > 0 && Array.isArray(steps) && Array.from(steps).every(isStep)) return;
  throw new ArgumentError(`testPromptText needs a result of measureTestPrompt, not ${shown(result)}.`, {
    asked: result,
  });
}
