/** One prompt and the question about its last position: how far an answer's logit is above another's, or above the mean. */

import type { Metric } from "../lens/metric.ts";
import type { Model } from "../lens/model.ts";
import { type InputOptions, inputOptions } from "../lens/model-input.ts";
import { INPUT } from "../lens/option-kinds.ts";
import type { ModelInput } from "../lens/tokens.ts";
import { ArgumentError, InputError } from "../tensor/errors.ts";
import { ANYTHING, FUNCTION } from "../tensor/kinds.ts";
import type { OptionKinds } from "../tensor/options.ts";
import { quoted } from "../tensor/words.ts";
import type { TokenIds } from "../text/token-ids.ts";
import { logitDifference, needNoReading, needOneOf } from "./contrast.ts";
import { answerPlace, answerToken, type Prompt, readPrompt, tokenText } from "./prompt.ts";

/** A prompt, and the token or the two tokens whose logits are in question. */
export interface AnswerOptions {
  readonly prompt?: string | TokenIds | undefined;
  readonly answer?: string | number | undefined;
  /** The token whose logit is subtracted; an empty text means the mean of all tokens' logits. */
  readonly wrong?: string | number | undefined;
  readonly prependBos?: boolean | undefined;
}

/** The question, resolved for a model. */
export interface Answer {
  readonly prompt: Prompt;
  readonly id: number;
  readonly wrongId: number | undefined;
  readonly metric: Metric;
  /** The metric in words: `logit(“ she”) − logit(“ he”)`. */
  readonly asked: string;
}

const DEFAULTS = { prompt: "The lady was so tired that", answer: " she", wrong: " he" } as const;

/** @throws InputError for a prompt that is empty or too long, or answers that are not two different tokens. */
export function readAnswer(model: Model, options: AnswerOptions): Answer {
  const prompt = readPrompt(model, options.prompt ?? DEFAULTS.prompt, options);
  const id = answerToken(model, options.answer ?? DEFAULTS.answer);
  const wrong = options.wrong ?? (options.answer === undefined ? DEFAULTS.wrong : "");
  const wrongId = wrong === "" ? undefined : answerToken(model, wrong);
  const pos = answerPlace(model, prompt);
  const named = (token: number) => `logit(${quoted(tokenText(model, token))})`;
  if (id === wrongId) {
    throw new InputError(
      `The answer and the wrong answer are both ${quoted(tokenText(model, id))}: give two different tokens.`,
      {
        asked: id,
      },
    );
  }
  if (wrongId === undefined) {
    // A logit alone means nothing: all of them can be shifted together, as centring the unembedding does.
    const metric: Metric = (logits) => {
      const last = logits.at({ pos });
      return last.at({ d_vocab: id }).sub(last.mean(-1)).mean();
    };
    return { prompt, id, wrongId, metric, asked: `${named(id)} − mean logit` };
  }
  return { prompt, id, wrongId, metric: logitDifference(id, wrongId, pos), asked: `${named(id)} − ${named(wrongId)}` };
}

/** An input, and what to measure of its run. */
export interface Question {
  readonly input: ModelInput;
  readonly metric: Metric;
  readonly read: InputOptions;
}

/** How measures take a question: as a prompt and answers, or as any input with a metric that you write. */
export interface QuestionOptions extends InputOptions {
  readonly prompt?: ModelInput | undefined;
  /** Any number of a run, in place of the answer's logit. */
  readonly metric?: Metric | undefined;
}

/** The kinds of `QuestionOptions`. */
export const QUESTION: OptionKinds<QuestionOptions> = { ...INPUT, prompt: ANYTHING, metric: FUNCTION };

/**
 * The question of a measure.
 * @throws InputError as `readAnswer` does; ArgumentError for a metric and answers, or a metric without an input
 */
export function readQuestion(
  of: string,
  model: Model,
  options: QuestionOptions & Pick<AnswerOptions, "answer" | "wrong">,
): Question {
  const { prompt, metric, answer, wrong, prependBos, ...reading } = options;
  if (metric === undefined) {
    needNoReading(of, reading);
    const found = readAnswer(model, { prompt: prompt as AnswerOptions["prompt"], answer, wrong, prependBos });
    return { input: found.prompt.input, metric: found.metric, read: {} };
  }
  needOneOf(of, metric, answer ?? wrong);
  if (prompt !== undefined) return { input: prompt, metric, read: inputOptions({ prependBos, ...reading }) };
  throw new ArgumentError(`With a metric, ${of} needs the input to measure it on: { prompt, metric }.`, {
    asked: options,
  });
}

/** The tokens in question, for measures that may have a metric instead. */
export const answerTokens = {
  answer: {
    type: "answer",
    description: "the token whose logit is in question",
    defaultText: JSON.stringify(DEFAULTS.answer),
  },
  wrong: {
    type: "answer",
    description: 'the token whose logit is subtracted; "" for the mean of all',
    defaultText: `"${DEFAULTS.wrong}" if the answer is left out too, otherwise ""`,
  },
} as const;

/** The options for an answer, as analyses offer them. */
export const answerOptions = {
  prompt: {
    type: "prompt",
    description: "the prompt; the question is what follows its last token",
    default: DEFAULTS.prompt,
  },
  ...answerTokens,
} as const;
