/** How well a model knows an answer. Source: TransformerLens' `utils.test_prompt`. */

import type { HookedTransformer } from "../lens/hooked-transformer.ts";
import { needNextToken } from "../lens/model-has.ts";
import { batchOf, needText } from "../lens/tokens.ts";
import { ArgumentError, InputError } from "../tensor/errors.ts";
import { FLAG, type Kind, listOf, NUMBER, OBJECT, TEXT } from "../tensor/kinds.ts";
import type { OptionKinds } from "../tensor/options.ts";
import { shown } from "../tensor/show.ts";
import { Measured } from "./measured.ts";
import { type AnalysisOptions, type GivenOptions, settled } from "./options.ts";
import { answerIds, readPrompt, tokenText, tokenTexts } from "./prompt.ts";
import { largestIndices } from "./top-tokens.ts";

export const TEST_PROMPT_OPTIONS = {
  prompt: { type: "prompt", description: "the text before the answer", default: "The old man smiled, and shook his" },
  answers: {
    type: "texts",
    placeholder: "answer",
    description: "one answer, or several; a word gets a space in front",
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
export interface TestPromptRow extends ScoredToken {
  /** The answer that it is part of. */
  readonly answer: string;
  /** Which of its tokens, from 0. */
  readonly step: number;
}

/** An answer as a whole. */
export interface WholeAnswerRow {
  readonly answer: string;
  /** How many tokens it is. */
  readonly tokens: number;
  /** In nats: the sum of its tokens', each given those before it. */
  readonly log_prob: number;
  readonly prob: number;
}

/** The result of `measureTestPrompt`: a row for each token of each answer. */
export interface TestPromptMeasurement extends Measured<TestPromptRow>, TestedPrompt {
  /** The prompt's text. */
  readonly text: string;
  /** A row for each answer, in their order. */
  readonly wholes: Measured<WholeAnswerRow>;
  /**
   * What the model predicts after BOS alone, without having read the prompt: for the first token of a single answer, or for the most
   * probable of several as a whole, with its first token's rank. Null without a BOS.
   */
  readonly alone: { readonly prob: number; readonly rank: number } | null;
}

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
 * Rank, logit and probability of each token of each answer, given the prompt and the answer's tokens before it, the
 * log-probability of each whole answer, and the most probable tokens after the prompt (of a single answer, before each of its tokens).
 *
 * " word" and "word" are different tokens: unless `asIs` is set, a word without a space in front gets one.
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
  const prompt = readPrompt(model, asked.prompt, { prependBos });
  const answers = asked.answers.map((text) =>
    asIs ? needText(model).tokenizer.encode(text, { addSpecialTokens: false }) : answerIds(model, text),
  );
  const scores = await scoreAnswers(model, prompt.ids, answers, signal);
  const texts = answers.map((ids) => tokenTexts(model, ids));
  const scored = answers.map((ids, a) =>
    ids.map((id, step): ScoredToken => ({ ...scores(a, step).of(id), token: texts[a][step] })),
  );
  const several = answers.length > 1;
  const tested: TestedPrompt = {
    prompt: prompt.tokens,
    answers: texts,
    steps: Array.from({ length: several ? 1 : answers[0].length }, (_, step) => {
      const { order, of } = scores(0, step);
      return { answers: scored.map((tokens) => tokens[step]), top: order().slice(0, top).map(of) };
    }),
  };
  const names = answers.map((ids) => needText(model).decode(ids));
  const rows = scored.flatMap((tokens, a) => tokens.map((token, step) => ({ answer: names[a], step, ...token })));
  const wholes = scored.map((tokens, a): WholeAnswerRow => {
    const log_prob = logProbOf(tokens);
    return { answer: names[a], tokens: tokens.length, log_prob, prob: Math.exp(log_prob) };
  });
  const [best] = largestIndices(
    wholes.map(({ log_prob }) => log_prob),
    1,
  );
  const alone = await afterBosAlone(model, several ? answers[best] : answers[0].slice(0, 1), signal);
  return Measured.of(rows, { ...tested, text: prompt.text, wholes: new Measured(wholes), alone });
}

/** The log-probability of consecutive tokens, in nats. */
const logProbOf = (tokens: readonly ScoredToken[]): number => tokens.reduce((sum, { prob }) => sum + Math.log(prob), 0);

/** What the model predicts for an answer after BOS alone: its probability, and its first token's rank. */
async function afterBosAlone(
  model: HookedTransformer,
  answer: readonly number[],
  signal: AbortSignal | undefined,
): Promise<TestPromptMeasurement["alone"]> {
  const bos = model.text?.bosTokenId;
  if (bos === undefined) return null;
  const scores = await scoreAnswers(model, [bos], [answer], signal);
  const tokens = answer.map((id, step) => scores(0, step).of(id));
  return { prob: Math.exp(logProbOf(tokens)), rank: tokens[0].rank };
}

/**
 * Runs the prompt with each answer, all in one batch, and returns what is predicted at each step of each answer.
 * @throws InputError if one does not fit into the context
 */
async function scoreAnswers(
  model: HookedTransformer,
  prompt: readonly number[],
  answers: readonly (readonly number[])[],
  signal: AbortSignal | undefined,
): Promise<(answer: number, step: number) => Scores> {
  const { nCtx, dVocabOut } = model.cfg;
  const steps = Math.max(...answers.map((ids) => ids.length));
  const length = prompt.length + steps - 1;
  if (length > nCtx) {
    throw new InputError(
      `Prompt and answer have ${length} tokens, BOS included, but the model's context holds ${nCtx}: shorten the prompt.`,
      { asked: length, found: nCtx },
    );
  }
  // The last token of an answer is predicted and need not be read; the first is predicted by the prompt, in any row.
  const longer = answers.filter((ids) => ids.length > 1);
  const rows = longer.length > 0 ? longer.map((ids) => [...prompt, ...ids.slice(0, -1)]) : [prompt];
  // In a causal model no real token sees the padding after it.
  const logits = await model.runWithHooks(batchOf(rows, model, { masked: false }), {
    logitsPos: Array.from({ length: steps }, (_, i) => prompt.length - 1 + i),
    signal,
  });
  return (answer, step) => {
    const row = Math.max(0, longer.indexOf(answers[answer])) * steps + step;
    return scoresOf(model, logits.data.subarray(row * dVocabOut, (row + 1) * dVocabOut) as Float32Array);
  };
}

/** What one row of logits says about tokens. */
interface Scores {
  readonly of: (id: number) => ScoredToken;
  /** All tokens, most probable first. */
  readonly order: () => readonly number[];
}

function scoresOf(model: HookedTransformer, logits: Float32Array): Scores {
  const most = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  const sum = logits.reduce((total, x) => total + Math.exp(x - most), 0);
  const order = () => Array.from(logits.keys()).sort((a, b) => logits[b] - logits[a] || a - b);
  const of = (id: number): ScoredToken => ({
    id,
    token: tokenText(model, id),
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
