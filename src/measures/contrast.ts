/**
 * Two prompts that differ in one thing, and two answers that the model decides between because of it: what patching compares.
 * The clean prompt should make the right answer likelier, the corrupted one the wrong answer.
 */

import { type Metric, measured, oneNumber } from "../lens/metric.ts";
import type { Model } from "../lens/model.ts";
import { type InputOptions, inputOptions } from "../lens/model-input.ts";
import { INPUT } from "../lens/option-kinds.ts";
import type { ModelInput } from "../lens/tokens.ts";
import { ArgumentError, InputError } from "../tensor/errors.ts";
import { ANYTHING, FUNCTION } from "../tensor/kinds.ts";
import type { OptionKinds } from "../tensor/options.ts";
import { quoted } from "../tensor/words.ts";
import type { TokenIds } from "../text/token-ids.ts";
import { answerPlace, answerPlaceName, answerToken, type Prompt, readPrompt, tokenText } from "./prompt.ts";

/** Two prompts with the same number of tokens, and two answers of one token each. */
export interface ContrastOptions {
  readonly clean?: string | TokenIds | undefined;
  readonly corrupted?: string | TokenIds | undefined;
  readonly prependBos?: boolean | undefined;
  /** The answer to the clean prompt. */
  readonly answer?: string | number | undefined;
  /** The answer to the corrupted prompt. */
  readonly wrong?: string | number | undefined;
}

/** A contrast that small models already know: a pronoun's gender. */
export const DEFAULT_CONTRAST = {
  clean: "The lady was so tired that",
  corrupted: "The gentleman was so tired that",
  answer: " she",
  wrong: " he",
} as const;

/** The contrast, ready to run, with the results of the two unchanged runs. */
export interface Contrast extends Ends {
  readonly clean: Prompt;
  readonly corrupted: Prompt;
  /** The answers' texts. */
  readonly answer: string;
  readonly wrong: string;
  /** Where the answers are read, in words: "the last position". */
  readonly place: string;
  /** `logit[answer] - logit[wrong]` there, in logits. */
  readonly metric: Metric;
}

/** The metrics of the two unchanged runs. */
export interface Ends {
  readonly cleanMetric: number;
  readonly corruptedMetric: number;
  /** A metric as a fraction of the distance from the corrupted run's (0) to the clean run's (1). */
  readonly normalized: (metric: number) => number;
}

/** The difference of two tokens' logits at a position, in logits. */
export function logitDifference(answer: number, wrong: number, pos: number): Metric {
  return (logits) => {
    const last = logits.at({ pos });
    return last
      .at({ d_vocab: answer })
      .sub(last.at({ d_vocab: wrong }))
      .mean();
  };
}

/** If the two runs' metrics differ by less than this, the difference is rounding and chance, so it cannot be divided up. In logits. */
const LEAST_DIFFERENCE = 0.01;

/**
 * Reads and runs a contrast.
 * @throws InputError for prompts of different lengths or alike, answers of several tokens or the same, or a model that
 * does not distinguish the prompts.
 */
export async function readContrast(model: Model, options: ContrastOptions, signal?: AbortSignal): Promise<Contrast> {
  const clean = readPrompt(model, options.clean ?? DEFAULT_CONTRAST.clean, options);
  const corrupted = readPrompt(model, options.corrupted ?? DEFAULT_CONTRAST.corrupted, options);
  checkAlike(clean, corrupted);
  const answer = answerToken(model, options.answer ?? DEFAULT_CONTRAST.answer);
  const wrong = answerToken(model, options.wrong ?? DEFAULT_CONTRAST.wrong);
  if (answer === wrong) {
    throw new InputError(
      `Both answers are the token ${quoted(tokenText(model, answer))}: give two different answers that the prompts decide between.`,
      { asked: answer },
    );
  }
  const [pos, other] = [answerPlace(model, clean), answerPlace(model, corrupted)];
  if (pos !== other) {
    throw new InputError(
      `The clean prompt's mask is at ${pos} and the corrupted one's at ${other}: mask the same place.`,
      {
        asked: [pos, other],
      },
    );
  }
  const metric = logitDifference(answer, wrong, pos);
  const ends = await endsOf(model, { clean: clean.input, corrupted: corrupted.input, metric, read: {} }, signal);
  const { cleanMetric, corruptedMetric } = ends;
  const difference = cleanMetric - corruptedMetric;
  if (!(Math.abs(difference) >= LEAST_DIFFERENCE)) {
    throw new InputError(
      `The model does not distinguish the two prompts: ${quoted(tokenText(model, answer))} over ${quoted(tokenText(model, wrong))} is ${cleanMetric.toFixed(3)} logits for the clean one and ${corruptedMetric.toFixed(3)} for the corrupted one. Give prompts or answers that make a difference.`,
      { asked: LEAST_DIFFERENCE, found: difference },
    );
  }
  return {
    clean,
    corrupted,
    answer: tokenText(model, answer),
    wrong: tokenText(model, wrong),
    place: answerPlaceName(model),
    metric,
    ...ends,
  };
}

/** Two inputs of the same shape, and what to measure of their runs. */
export interface Runs<Clean = ModelInput> {
  readonly clean: Clean;
  readonly corrupted: ModelInput;
  readonly metric: Metric;
  readonly read: InputOptions;
}

/** The runs of a contrast, as measures take them. */
export function runsOf({ clean, corrupted, metric }: Contrast) {
  return { clean: clean.input, corrupted: corrupted.input, metric };
}

/**
 * How measures take two runs: as prompts and answers, or as any inputs with a metric that you write. Left out, they are
 * `DEFAULT_CONTRAST`.
 */
export interface RunsOptions<Clean = ModelInput> extends InputOptions {
  readonly clean?: Clean | undefined;
  readonly corrupted?: ModelInput | undefined;
  /** Any number of a run, in place of the difference of the answers' logits. */
  readonly metric?: Metric | undefined;
}

/** The kinds of `RunsOptions`. */
export const RUNS: OptionKinds<RunsOptions> = { ...INPUT, clean: ANYTHING, corrupted: ANYTHING, metric: FUNCTION };

/** The answers, for measures that may have a metric instead. */
export const answersOptions = {
  answer: { ...contrastAnswer("the clean prompt's answer"), defaultText: DEFAULT_CONTRAST.answer },
  wrong: { ...contrastAnswer("the corrupted prompt's answer"), defaultText: DEFAULT_CONTRAST.wrong },
} as const;

function contrastAnswer(description: string) {
  return { type: "answer", description } as const;
}

/**
 * The two runs of a measure.
 * @throws InputError as `readContrast` does; ArgumentError for a metric and answers, or a metric without two inputs
 */
export async function readRuns<Clean = ModelInput>(
  of: string,
  model: Model,
  options: RunsOptions<Clean> & Pick<ContrastOptions, "answer" | "wrong">,
  signal?: AbortSignal,
): Promise<Runs<Clean | ModelInput>> {
  const { clean, corrupted, metric, answer, wrong, prependBos, ...reading } = options;
  if (metric === undefined) {
    needNoReading(of, reading);
    const prompts = { clean, corrupted } as Pick<ContrastOptions, "clean" | "corrupted">;
    const contrast = await readContrast(model, { ...prompts, answer, wrong, prependBos }, signal);
    return { clean: contrast.clean.input, corrupted: contrast.corrupted.input, metric: contrast.metric, read: {} };
  }
  needOneOf(of, metric, answer ?? wrong);
  if (clean === undefined || corrupted === undefined) {
    throw new ArgumentError(`With a metric, ${of} needs the two inputs to compare: { clean, corrupted, metric }.`, {
      asked: options,
    });
  }
  return { clean, corrupted, metric, read: inputOptions({ prependBos, ...reading }) };
}

/** @throws ArgumentError for a way of reading inputs that prompts with answers do not have */
export function needNoReading(of: string, reading: InputOptions): void {
  const other = (["paddingSide", "attentionMask", "tokenTypeIds", "decoderInput"] as const).find(
    (name) => reading[name] !== undefined,
  );
  if (!other) return;
  throw new ArgumentError(`${other} goes with a metric; with answers, ${of} reads single prompts.`, { asked: other });
}

/** @throws ArgumentError for a metric and answers */
export function needOneOf(of: string, metric: Metric, answer: unknown): void {
  if (answer === undefined) return;
  throw new ArgumentError(`${of} takes a metric or answers, not both: leave one of them out.`, { asked: metric });
}

/** Runs both inputs unchanged. */
export async function endsOf(
  model: Model,
  { clean, corrupted, metric, read }: Runs,
  signal?: AbortSignal,
): Promise<Ends> {
  const numbers = [clean, corrupted].map((input) => {
    const graph = model.graph(input, read);
    return oneNumber(measured(metric, graph), graph.output);
  });
  const [cleanMetric, corruptedMetric] = (await model.compute(numbers, { signal })).map((found) => found.item());
  return {
    cleanMetric,
    corruptedMetric,
    normalized: (value) => roundedToLogits((value - corruptedMetric) / (cleanMetric - corruptedMetric)),
  };
}

/** Rounded to the precision of float32 logits: exactly 0 for a change that changes nothing. */
export function roundedToLogits(x: number): number {
  return Math.round(x * 1e5) / 1e5 + 0;
}

/** @throws InputError unless the prompts have equally many tokens and differ. */
function checkAlike(clean: Prompt, corrupted: Prompt): void {
  if (clean.ids.length !== corrupted.ids.length) {
    const listed = (prompt: Prompt) => prompt.tokens.map(quoted).join(" ");
    throw new InputError(
      `The clean prompt has ${clean.ids.length} tokens and the corrupted one ${corrupted.ids.length}, but patching copies position by position: reword one until the numbers match. They are ${listed(clean)} and ${listed(corrupted)}.`,
      { asked: clean.ids.length, found: corrupted.ids.length },
    );
  }
  if (clean.ids.every((id, i) => id === corrupted.ids[i])) {
    throw new InputError(
      "The clean and the corrupted prompt are the same: change the word that the answer depends on.",
      {
        asked: clean.text,
      },
    );
  }
}

/** A contrast's options, as measures and analyses take them. */
export const contrastOptions = {
  clean: { type: "prompt", description: "the prompt that calls for the answer", default: DEFAULT_CONTRAST.clean },
  corrupted: {
    type: "prompt",
    description: "the prompt that calls for the other, of as many tokens",
    default: DEFAULT_CONTRAST.corrupted,
  },
  answer: { type: "answer", description: "the clean prompt's answer", default: DEFAULT_CONTRAST.answer },
  wrong: { type: "answer", description: "the corrupted prompt's answer", default: DEFAULT_CONTRAST.wrong },
} as const;
