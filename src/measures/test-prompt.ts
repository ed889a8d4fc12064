/** How well a model knows an answer. Source: TransformerLens' `utils.test_prompt`. */

import { checkModel } from "../lens/check.ts";
import type { HookedModel } from "../lens/model.ts";
import { needNextToken, needOneStack } from "../lens/model-has.ts";
import { batchOf, needText, onePrompt, readTokens } from "../lens/tokens.ts";
import { ArgumentError, InputError } from "../tensor/errors.ts";
import { COUNT, FLAG, type Kind, listOf, NUMBER, OBJECT, SIGNAL, TEXT } from "../tensor/kinds.ts";
import { checkOptions, type OptionKinds } from "../tensor/options.ts";
import { shown } from "../tensor/show.ts";
import type { TokenIds, TokenRules } from "../text/index.ts";

/** Options of `testPrompt`. */
export interface TestPromptOptions {
  /** Whether to put a space in front of each answer that has none. Default true. */
  readonly prependSpaceToAnswer?: boolean | undefined;
  readonly prependBos?: boolean | undefined;
  /** How many of the most probable tokens to return at each step. Default 10. */
  readonly topK?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The kinds of `TestPromptOptions`. */
export const TEST_PROMPT: OptionKinds<TestPromptOptions> = {
  prependSpaceToAnswer: FLAG,
  prependBos: FLAG,
  topK: COUNT,
  signal: SIGNAL,
};

/** A token, with its logit, probability and rank. */
export interface ScoredToken {
  readonly id: number;
  readonly token: string;
  readonly logit: number;
  readonly prob: number;
  /** How many tokens are more probable; 0 is the most probable. */
  readonly rank: number;
}

/** The result of `testPrompt`. */
export interface TestPromptResult {
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
 * @param prompt a text, or its token ids
 * @param answer a text, or several; " word" and "word" are different tokens, so by default a space is put in front
 * @throws InputError for an empty prompt or answer, or one that does not fit into the context.
 */
export async function testPrompt(
  model: HookedModel,
  prompt: string | TokenIds,
  answer: string | readonly string[],
  options: TestPromptOptions = {},
): Promise<TestPromptResult> {
  checkModel("testPrompt", model);
  checkOptions("testPrompt", options, TEST_PROMPT);
  needOneStack("testPrompt", model);
  needNextToken("testPrompt", model);
  const { prependSpaceToAnswer = true, prependBos, topK = 10, signal } = options;
  const answerTexts = typeof answer === "string" ? [answer] : answer;
  if (
    !(typeof prompt === "string" || Array.isArray(prompt) || prompt instanceof Int32Array) ||
    !Array.isArray(answerTexts) ||
    Array.from(answerTexts).some((text) => typeof text !== "string")
  ) {
    throw new InputError(
      `testPrompt needs a text and an answer, or a list of answers, not ${shown(prompt)} and ${shown(answer)}.`,
      { asked: [prompt, answer] },
    );
  }
  if (answerTexts.length === 0)
    throw new InputError("There is no answer: pass one text or several.", { asked: answer });
  if (answerTexts.includes("")) {
    throw new InputError("An answer is empty: use at least one word.", { asked: answer });
  }
  const text = needText(model);
  const { nCtx, dVocabOut } = model.cfg;
  if (!(Number.isInteger(topK) && topK >= 1 && topK <= dVocabOut)) {
    throw new ArgumentError(`topK is ${topK}, but must be a whole number from 1 to the vocabulary's ${dVocabOut}.`, {
      asked: topK,
      found: dVocabOut,
    });
  }
  // An answer of only white space is used as it is.
  const unspaced = (text: string) => prependSpaceToAnswer && !text.startsWith(" ") && text.trim() !== "";
  const spaced = answerTexts.map((text) => (unspaced(text) ? ` ${text}` : text));
  const idsOf = (of: string, bos: boolean | undefined): number[] =>
    Array.from(readTokens(of, model, { prependBos: bos, truncate: false }).data);
  const promptIds = typeof prompt === "string" ? idsOf(prompt, prependBos) : onePrompt(prompt, model.cfg.dVocab);
  const answers = spaced.map((text) => idsOf(text, false));
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
  return {
    prompt: text.toStrTokens(promptIds),
    answers: answers.map((ids) => text.toStrTokens(ids)),
    steps: Array.from({ length: steps }, (_, step) => {
      const row = logits.data.subarray(step * dVocabOut, (step + 1) * dVocabOut) as Float32Array;
      const scored = scorer(text, row);
      return { answers: answers.map((ids) => scored.of(ids[step])), top: scored.order.slice(0, topK).map(scored.of) };
    }),
  };
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
export function testPromptText(result: TestPromptResult): string {
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

/** @throws ArgumentError for anything but a result of `testPrompt` */
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
  const { prompt, answers, steps } = (OBJECT.accepts(result) ? result : {}) as Partial<TestPromptResult>;
  const isStep = (step: unknown) => {
    const { answers, top } = (OBJECT.accepts(step) ? step : {}) as Partial<TestPromptResult["steps"][number]>;
    return tokens.accepts(answers) && tokens.accepts(top);
  };
  const whole = texts.accepts(prompt) && Array.isArray(answers) && Array.from(answers).every(texts.accepts);
  if (whole && answers.length > 0 && Array.isArray(steps) && Array.from(steps).every(isStep)) return;
  throw new ArgumentError(`testPromptText needs a result of testPrompt, not ${shown(result)}.`, { asked: result });
}
